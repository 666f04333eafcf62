//! A real Prometheus that scrapes one address, with a folder and a port of its own.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use url::form_urlencoded;

use crate::support::{missing, until};

/// A running Prometheus; ended when it is dropped.
pub(super) struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one that scrapes the target every second.
    pub(super) fn watch(target: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n\
             - job_name: plimsoll\n  static_configs:\n  - targets: ['{target}']\n"
        );
        fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        // It has no option to take any free port and print it.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut child = command.spawn().unwrap_or_else(|error| missing("prometheus", &error));
        until("Prometheus answers", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{status}: {}", fs::read_to_string(folder.path().join("log")).unwrap());
            }
            TcpStream::connect(address).is_ok() && get(address, "/-/ready", "*/*").starts_with("HTTP/1.0 200 ")
        });
        Self { child, address, _folder: folder }
    }

    /// The result of a query now.
    pub(super) fn query(&self, query: &str) -> Vec<Value> {
        self.ask("query", &[("query", query)])
    }

    /// The result of a query over some time, second by second.
    pub(super) fn query_range(&self, query: &str, from: f64, to: f64) -> Vec<Value> {
        let (from, to) = (from.to_string(), to.to_string());
        self.ask("query_range", &[("query", query), ("start", &from), ("end", &to), ("step", "1")])
    }

    /// The one number that a query gives.
    #[track_caller]
    pub(super) fn number(&self, query: &str) -> f64 {
        let result = self.query(query);
        let [one] = result.as_slice() else { panic!("{query} gives {result:?}") };
        one["value"][1].as_str().unwrap().parse().unwrap()
    }

    /// Names of all series that were scraped.
    pub(super) fn names(&self) -> Vec<String> {
        let answer = get(self.address, "/api/v1/label/__name__/values", "*/*");
        let answer: Value = serde_json::from_str(body(&answer)).unwrap();
        answer["data"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    fn ask(&self, what: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
        let parameters = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let answer = get(self.address, &format!("/api/v1/{what}?{parameters}"), "*/*");
        let answer: Value = serde_json::from_str(body(&answer)).unwrap();
        assert_eq!(answer["status"], "success", "{parameters}: {answer}");
        answer["data"]["result"].as_array().unwrap().clone()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has promtool check metrics in the text format of Prometheus.
pub(super) fn promtool(metrics: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| missing("promtool", &error));
    child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

/// A whole answer, its head included.
pub(super) fn get(address: SocketAddr, path: &str, accept: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // Of HTTP 1.0, so that the answer is in one piece.
    write!(stream, "GET {path} HTTP/1.0\r\nAccept: {accept}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(super) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}
