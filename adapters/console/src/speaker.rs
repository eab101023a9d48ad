//! Who speaks at the terminal, where, and how their lines become deliveries.

use std::sync::Arc;

use andon_core::{Clock, DeliveryKey, Identity, ProofStrength, Room, Said};

/// What the adapter is told by whoever opens the terminal room.
pub struct Options {
    /// The name of the platform in rooms and identities.
    pub platform: String,
    /// The room at the start.
    pub room: String,
    /// The account that speaks at the start.
    pub user: String,
    /// Whether `/as` may switch it: only in the playground.
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
    room: String,
    lines: u64,
}

/// What a line is to the terminal room.
pub(crate) enum Heard {
    /// Something said to the house.
    Said(Box<Said>),
    /// Done here; this is to be shown.
    Local(String),
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
        format!("{} #{} > ", self.user, self.room)
    }

    /// Understands the lines that are the terminal room's own; everything else is said to the house.
    pub(crate) fn hear(&mut self, line: &str) -> Heard {
        let line = line.trim();
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (None, _) => Heard::Nothing,
            (Some(first), _) if first.starts_with('#') => Heard::Nothing,
            (Some("/quit" | "/exit"), _) => Heard::Leave,
            (Some("/as"), Some(user)) if self.options.may_switch && is_name(user) => {
                self.user = user.to_owned();
                Heard::Local(format!("You speak as {user} now."))
            }
            (Some("/as"), _) if !self.options.may_switch => {
                Heard::Local("Nobody speaks as somebody else here.".to_owned())
            }
            (Some("/room"), Some(room)) if is_name(room.trim_start_matches('#')) => {
                self.room = room.trim_start_matches('#').to_owned();
                Heard::Local(format!("You are in #{} now.", self.room))
            }
            (Some("/help"), _) => Heard::Local(self.help()),
            (Some(first), _) if first.starts_with('/') => {
                Heard::Local(format!("There is no such line here. {}", self.help()))
            }
            _ => Heard::Said(Box::new(self.say(line))),
        }
    }

    fn help(&self) -> String {
        let switch = if self.options.may_switch { "/as NAME speaks as somebody else, " } else { "" };
        format!("{switch}/room NAME goes to another room, /quit leaves; `help` tells what can be asked.")
    }

    fn say(&mut self, line: &str) -> Said {
        self.lines += 1;
        let now = self.options.clock.now();
        let platform = &self.options.platform;
        Said {
            key: DeliveryKey(format!("{platform}//line/{}/{}", self.options.session, self.lines)),
            identity: Identity { platform: platform.clone(), workspace: None, user: self.user.clone() },
            proof: self.options.proof,
            room: Room { platform: platform.clone(), workspace: None, channel: self.room.clone(), thread: None },
            permalink: None,
            text: line.to_owned(),
            happened: now,
            received: now,
            audience_size: None,
            guests_present: None,
            terminal: self.options.terminal.clone(),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 40 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}
