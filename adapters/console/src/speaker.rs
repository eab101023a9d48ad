//! Who speaks at the terminal, where, and how their lines become deliveries.

use std::sync::Arc;

use andon_core::{Block, Clock, DeliveryKey, Identity, Line, Message, ProofStrength, Room, Said, Tone};

/// What the adapter is told by whoever opens the terminal room.
pub struct Options {
    /// The room at the start.
    pub room: Room,
    /// The account that speaks at the start.
    pub user: String,
    /// Whether `/as` may switch it, and `/room` the platform: only in the playground.
    pub may_switch: bool,
    /// How strongly the account is proved.
    pub proof: ProofStrength,
    /// Operating-system user, uid and host, for the record.
    pub terminal: Option<String>,
    /// Names this session among all, so that line numbers name human acts.
    pub session: String,
    /// The first screen.
    pub welcome: String,
    /// Where interactive lines are remembered.
    pub history: Option<std::path::PathBuf>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The present speaker in the present room.
pub struct Speaking {
    options: Options,
    user: String,
    room: Room,
    lines: u64,
}

/// The lines that are the terminal room's own.
pub(crate) const OWN_LINES: [&str; 4] = ["/as", "/help", "/quit", "/room"];

/// What is said to a line that the house ignores.
pub(crate) const NO_COMMAND: &str = "That is no command: quotations and code never are";

/// What a line is to the terminal room.
pub(crate) enum Heard {
    /// Something said to the house.
    Said(Box<Said>),
    /// Done here; this is to be shown.
    Local(Box<Message>),
    /// Not done: one fact and one next step.
    Refused(Box<Message>),
    /// The speaker leaves.
    Leave,
    /// Nothing.
    Nothing,
}

impl Speaking {
    /// Begins with the options' speaker and room.
    pub fn new(options: Options) -> Self {
        Self { user: options.user.clone(), room: options.room.clone(), lines: 0, options }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn prompt(&self) -> String {
        format!("{} {} > ", self.user, self.place())
    }

    /// The room as people say it: on the terminal's own platform the channel is enough.
    fn place(&self) -> String {
        match self.room.platform == self.options.room.platform {
            true => format!("#{}", self.room.channel),
            false => self.room.to_string(),
        }
    }

    /// The room that was typed: a channel here, or, where the speaker may be switched, one of a platform that is only simulated.
    fn room(&self, typed: &str) -> Option<Room> {
        let channel = typed.trim_start_matches('#');
        if is_name(channel) {
            return Some(Room { channel: channel.to_owned(), ..self.options.room.clone() });
        }
        typed.parse().ok().filter(|_| self.options.may_switch)
    }

    /// Understands the lines that are the terminal room's own; everything else is said to the house.
    pub(crate) fn hear(&mut self, line: &str) -> Heard {
        let line = line.trim();
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (None, _) => Heard::Nothing,
            (Some(first), _) if first.starts_with('#') => Heard::Nothing,
            (Some("/quit" | "/exit"), _) => Heard::Leave,
            (Some("/as"), user) => self.switch(user),
            (Some("/room"), room) => self.go(room),
            (Some("/help"), _) => Heard::Local(Box::new(self.help())),
            (Some(first), _) if first.starts_with('/') => {
                let fact = Line::new().text("There is no line ").outside(first).text(" of the terminal room");
                refused(fact, "`/help` lists those that there are; commands begin without a slash")
            }
            _ => Heard::Said(Box::new(self.say(line))),
        }
    }

    fn switch(&mut self, user: Option<&str>) -> Heard {
        if !self.options.may_switch {
            return refused("Nobody speaks as somebody else here", "say it yourself, or ask whom you mean to say it");
        }
        let Some(user) = user.filter(|user| is_name(user)) else {
            return refused("`/as` takes the name of an account", "name one, such as /as ben");
        };
        user.clone_into(&mut self.user);
        local(format!("You speak as {user} now"))
    }

    fn go(&mut self, room: Option<&str>) -> Heard {
        let Some(room) = room.and_then(|typed| self.room(typed)) else {
            return refused("`/room` takes the name of a room", "name one, such as /room lobby");
        };
        self.room = room;
        local(format!("You are in {} now", self.place()))
    }

    fn help(&self) -> Message {
        let lines = [
            ("/as NAME", "speak as somebody else"),
            ("/room NAME", "go to another room"),
            ("/help", "show these lines"),
            ("/quit", "leave"),
        ];
        let there = lines.into_iter().filter(|(line, _)| self.options.may_switch || !line.starts_with("/as"));
        let rows = there.map(|(line, meaning)| vec![Line::new().code(line), Line::from(meaning)]).collect();
        let header = ["line", "what it does"].map(str::to_owned).to_vec();
        Message::new("These lines are the terminal room's own; `help` shows what can be asked")
            .block(Block::Table { header, rows })
    }

    fn say(&mut self, line: &str) -> Said {
        self.lines += 1;
        let now = self.options.clock.now();
        let Room { platform, workspace, .. } = &self.room;
        let place = workspace.as_deref().unwrap_or_default();
        Said {
            key: DeliveryKey(format!("{platform}/{place}/line/{}/{}", self.options.session, self.lines)),
            attempt: None,
            identity: Identity { platform: platform.clone(), workspace: workspace.clone(), user: self.user.clone() },
            account: None,
            proof: self.options.proof,
            room: self.room.clone(),
            permalink: None,
            text: line.to_owned(),
            happened: now,
            received: now,
            audience_size: None,
            guests_present: None,
            terminal: self.options.terminal.clone(),
            refusal_by_voice: false,
        }
    }
}

fn local(text: String) -> Heard {
    Heard::Local(Box::new(Message::new(text)))
}

/// A refusal of the terminal room itself, which looks as the house's do.
fn refused(fact: impl Into<Line>, next_step: &str) -> Heard {
    Heard::Refused(Box::new(refusal(fact, next_step)))
}

/// One fact and one next step.
pub(crate) fn refusal(fact: impl Into<Line>, next_step: &str) -> Message {
    let summary = Line::new().text("Refused: ").line(&fact.into());
    Message::new(summary).tone(Tone::Bad).paragraph(format!("Next: {next_step}"))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 40 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}
