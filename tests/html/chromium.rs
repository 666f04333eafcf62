//! A headless Chromium, driven by its debugging protocol over a pipe: no port, no driver program, no library.
//!
//! Chromium reads commands from file descriptor 3 and writes answers and events to 4, each a JSON text that ends with a
//! zero byte. A shell connects them to the standard input and output of the child.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Far longer than anything takes here; only a browser that hangs gets that far.
const TIMEOUT: Duration = Duration::from_secs(60);

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Where macOS keeps them.
const APPLICATIONS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// A running browser with one page.
pub(crate) struct Chromium {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    events: Vec<Value>,
    session: Option<String>,
    last: u64,
    // Removed when the browser is gone.
    _profile: TempDir,
}

impl Chromium {
    /// Starts a browser with an empty page that reports what it loads and complains about.
    pub(crate) fn start() -> Self {
        let profile = TempDir::new().expect("a folder for the browser's profile");
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 >/dev/null 2>&1 </dev/null"#])
            .arg(binary())
            .args(["--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts Chromium");
        let commands = child.stdin.take().expect("its standard input is piped");
        let answers = BufReader::new(child.stdout.take().expect("its standard output is piped"));
        let (sender, messages) = channel();
        thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("the protocol speaks JSON");
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let (events, session, last) = (Vec::new(), None, 0);
        let mut browser = Self { child, commands, messages, events, session, last, _profile: profile };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached =
            browser.call("Target.attachToTarget", &json!({ "targetId": target["targetId"], "flatten": true }));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Pretends to be a screen of a size and a reader's preference (`light` or `dark`).
    pub(crate) fn screen(&mut self, width: u32, height: u32, scheme: &str) {
        let phone = width < 500;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Opens an address and waits until it is loaded. Returns all that happened meanwhile.
    pub(crate) fn open(&mut self, address: &str) -> Vec<Value> {
        self.events.clear();
        let answer = self.call("Page.navigate", &json!({ "url": address }));
        assert!(answer.get("errorText").is_none(), "{address}: {answer}");
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.next("the page to load");
            self.events.push(event);
        }
        // The page has been drawn once two frames have passed; what it still has to say has been said by then.
        self.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(() => drawn(0))))");
        self.events.clone()
    }

    /// The value of a JavaScript expression in the page, promises awaited.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", &parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{answer}");
        answer["result"]["value"].clone()
    }

    /// Sends a command and waits for its result.
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let mut command = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).expect("Chromium takes a command");
        loop {
            let message = self.next(method);
            if message["id"] == json!(self.last) {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn next(&mut self, awaited: &str) -> Value {
        self.messages
            .recv_timeout(TIMEOUT)
            .unwrap_or_else(|error| panic!("Chromium says nothing while waiting for {awaited}: {error}"))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Closing the pipe of commands ends it; the kill is for one that hangs. Neither may fail a test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    NAMES
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)))
        .chain(APPLICATIONS.map(PathBuf::from))
        .find(|file| file.is_file())
        .expect("no Chromium found; `make test` installs one, or run deploy/install-deps.sh test")
}
