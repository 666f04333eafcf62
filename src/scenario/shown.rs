//! What is shown of a value that the command line sets: nothing of a password.

/// Parts of names, in small letters: `service.api.password`, `requirepass`, `masterauth`, `tls-key-file-pass`.
const SECRET: [&str; 2] = ["pass", "auth"];

/// What stands for a password.
const HIDDEN: &str = "...";

/// What may be shown of the value of a scenario's field. Names of services and operations are part of its path, so only the
/// whole word hides the value.
pub fn shown_field<'a>(path: &str, value: &'a str) -> &'a str {
    if path.to_lowercase().contains("password") { HIDDEN } else { value }
}

/// What may be shown of the value of a server's setting.
pub fn shown_setting<'a>(name: &str, value: &'a str) -> &'a str {
    let name = name.to_lowercase();
    if SECRET.iter().any(|part| name.contains(part)) { HIDDEN } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_passwords_are_hidden() {
        for path in ["service.api.password", "service.api.Password.env", "service.x.passwords"] {
            assert_eq!(shown_field(path, "hunter2"), HIDDEN, "{path}");
        }
        for name in ["requirepass", "masterauth", "TLS-key-file-PASS"] {
            assert_eq!(shown_setting(name, "hunter2"), HIDDEN, "{name}");
        }
        assert_eq!(shown_field("service.auth.pool.size", "7"), "7");
        assert_eq!(shown_setting("io-threads", "4"), "4");
    }
}
