//! Faults of the configuration, as opposed to faults of the target.

use super::TargetError;

impl TargetError {
    /// Whether the fault lies in what the user configured: an address, the place of a password, a program, certificates. Any
    /// other fault is one of the target or of the way to it. Of several faults, one of the configuration is enough: it has to be
    /// mended first.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Address { .. }
            | Self::PasswordVariable { .. }
            | Self::PasswordFile { .. }
            | Self::ServerProgram { .. }
            | Self::Authorities { .. } => true,
            Self::Services { source, .. } => source.is_configuration(),
            Self::Several(faults) => faults.iter().any(Self::is_configuration),
            _ => false,
        }
    }
}
