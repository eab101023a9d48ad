//! One process of the bot, from its start: what a session talks with.

use std::io::{BufRead as _, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use andon_engine::Point;

use crate::{Playground, slack};

/// A process, what it hears, and the lines that it shows.
pub(crate) type Life = (Child, Box<dyn Write + Send>, Receiver<String>);

/// Opens the playground where people speak, in a process that ends itself at a point where one is named.
pub(crate) fn start(playground: &Playground, die_at: Option<Point>) -> Life {
    if let Some(workspace) = &playground.workspace {
        return slack::start(playground, workspace, die_at);
    }
    let mut command = playground.command(&["playground"]);
    kill_at(&mut command, die_at);
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
    (child, Box::new(input), lines)
}

/// Tells a process where to end itself.
pub(crate) fn kill_at(command: &mut Command, die_at: Option<Point>) {
    if let Some(point) = die_at {
        // The first checkpoint is that of the bot's own start, before which nobody has said anything.
        let times = if point == Point::Signing { 2 } else { 1 };
        command.env("ANDON_TEST_KILL_AT", format!("{}:{times}", point.as_str()));
    }
}
