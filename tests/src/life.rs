//! One process of the bot, from its start: what a session talks with.

use std::io::BufRead as _;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};

use andon_engine::Point;

use crate::Playground;

/// A process, what it hears, and the lines that it shows.
pub(crate) type Life = (Child, ChildStdin, Receiver<String>);

/// Opens the playground's room, in a process that ends itself at a point where one is named.
pub(crate) fn start(playground: &Playground, die_at: Option<Point>) -> Life {
    let mut command = playground.command(&["playground"]);
    if let Some(point) = die_at {
        // The first checkpoint is that of the bot's own start, before which nobody has said anything.
        let times = if point == Point::Signing { 2 } else { 1 };
        command.env("ANDON_TEST_KILL_AT", format!("{}:{times}", point.as_str()));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().expect("the program cannot be run");
    let input = child.stdin.take().expect("its input is piped");
    let output = std::io::BufReader::new(child.stdout.take().expect("its output is piped"));
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            // A test that ended reads no more.
            let _ = sender.send(line);
        }
    });
    (child, input, lines)
}
