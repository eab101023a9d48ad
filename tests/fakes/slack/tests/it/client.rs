//! What a bot would use: a small HTTP client, a web socket, and a server for signed requests, all without async.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use andon_fake_slack::Slack;
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An HTTP message: the first line, headers with names in lower case, and the body.
pub(crate) struct Http {
    pub(crate) first: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Http {
    /// Reads one; nothing when the connection ends before.
    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut first = String::new();
        if stream.read_line(&mut first).ok()? == 0 {
            return None;
        }
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut message = Self { first: first.trim_end().to_owned(), headers, body: String::new() };
        let length = message.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        message.body = String::from_utf8(body).ok()?;
        Some(message)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn status(&self) -> u16 {
        self.first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// One request on a connection of its own; nothing when the connection ended without an answer.
pub(crate) fn request(url: &str, verb: &str, headers: &[(&str, &str)], body: &str) -> Option<Http> {
    let rest = url.strip_prefix("http://").expect("an http address");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(host).expect("the fake listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut head =
        format!("{verb} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).expect("the fake reads");
    Http::read(&mut BufReader::new(stream))
}

/// Calls a method with JSON.
pub(crate) fn call(slack: &Slack, method: &str, arguments: Value) -> Value {
    try_call(slack, method, &arguments).expect("an answer").json()
}

/// Calls a method; nothing when the connection ended without an answer.
pub(crate) fn try_call(slack: &Slack, method: &str, arguments: &Value) -> Option<Http> {
    let bearer = format!("Bearer {}", slack.bot_token());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json; charset=utf-8")];
    request(&format!("{}{method}", slack.api_url()), "POST", &headers, &arguments.to_string())
}

/// Asks a method that reads, with a query.
pub(crate) fn get(slack: &Slack, method: &str, query: &str) -> Value {
    let bearer = format!("Bearer {}", slack.bot_token());
    let url = format!("{}{method}?{query}", slack.api_url());
    request(&url, "GET", &[("authorization", &bearer)], "").expect("an answer").json()
}

/// Posts a message with text and panics if it is refused; its time stamp.
pub(crate) fn post(slack: &Slack, channel: &str, more: Value) -> String {
    let mut arguments = json!({"channel": channel, "text": "hello"});
    for (name, value) in more.as_object().expect("an object") {
        arguments[name] = value.clone();
    }
    let answer = call(slack, "chat.postMessage", arguments);
    assert_eq!(answer["ok"], true, "{answer}");
    answer["ts"].as_str().expect("a time stamp").to_owned()
}

/// A web socket of the bot.
pub(crate) struct Socket(WebSocket<TcpStream>);

impl Socket {
    /// The address that `apps.connections.open` gives.
    pub(crate) fn address(slack: &Slack) -> String {
        let bearer = format!("Bearer {}", slack.app_token());
        let url = format!("{}apps.connections.open", slack.api_url());
        let answer = request(&url, "POST", &[("authorization", &bearer)], "").expect("an answer").json();
        answer["url"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Connects to an address; nothing when that is refused.
    pub(crate) fn try_connect(address: &str) -> Option<Self> {
        let host = address.strip_prefix("ws://")?.split('/').next()?;
        let stream = TcpStream::connect(host).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let (socket, _) = tungstenite::client(address, stream).ok()?;
        Some(Self(socket))
    }

    /// Opens one and hears its hello.
    pub(crate) fn open(slack: &Slack) -> Self {
        let mut socket = Self::try_connect(&Self::address(slack)).expect("a connection");
        assert_eq!(socket.next().expect("a hello")["type"], "hello");
        socket
    }

    /// The next message; nothing when the connection ended.
    pub(crate) fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).ok(),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// Whether nothing comes for so long.
    pub(crate) fn is_silent_for(&mut self, long: Duration) -> bool {
        self.0.get_ref().set_read_timeout(Some(long)).expect("a timeout");
        let silent = matches!(self.0.read(), Err(tungstenite::Error::Io(_)));
        self.0.get_ref().set_read_timeout(Some(PATIENCE)).expect("a timeout");
        silent
    }

    /// Acknowledges an envelope.
    pub(crate) fn acknowledge(&mut self, envelope: &Value, payload: Option<Value>) {
        let mut said = json!({"envelope_id": envelope["envelope_id"]});
        if let Some(payload) = payload {
            said["payload"] = payload;
        }
        self.0.send(Message::from(said.to_string())).expect("the fake reads");
    }

    /// The next envelope, acknowledged.
    pub(crate) fn take(&mut self) -> Value {
        let envelope = self.next().expect("an envelope");
        self.acknowledge(&envelope, None);
        envelope
    }
}

/// The bot's HTTP server: answers each request with the next of these statuses and bodies (the last for all that follow), and hands the
/// requests out.
pub(crate) fn bot_server(answers: Vec<(u16, String)>) -> (String, Receiver<Http>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter().peekable();
        let mut last = (200, String::new());
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let Some(heard) = Http::read(&mut stream) else { continue };
            last = answers.next().unwrap_or(last);
            let (status, body) = &last;
            let body = if body == "challenge" {
                heard.json()["challenge"].as_str().unwrap_or_default().to_owned()
            } else {
                body.clone()
            };
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            stream.get_mut().write_all(answer.as_bytes()).expect("the fake reads");
            if sender.send(heard).is_err() {
                return;
            }
        }
    });
    (base, requests)
}
