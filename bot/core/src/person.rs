//! People and the identities by which chat platforms know them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{PersonId, TeamName};

/// An account on a platform: `slack:T0001/U0001`, `discord:80351110224678912`, `os:ana`. Display names are never identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identity {
    /// The platform's name.
    pub platform: String,
    /// The workspace that the account belongs to, where the platform has workspaces for people.
    pub workspace: Option<String>,
    /// The platform's own id of the account.
    pub user: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.workspace {
            Some(workspace) => write!(f, "{}:{workspace}/{}", self.platform, self.user),
            None => write!(f, "{}:{}", self.platform, self.user),
        }
    }
}

impl FromStr for Identity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || format!("{text:?} is not an identity; one is written platform:workspace/user or platform:user");
        let (platform, rest) = text.split_once(':').ok_or_else(refuse)?;
        let (workspace, user) = match rest.split_once('/') {
            Some((workspace, user)) => (Some(workspace.to_owned()), user),
            None => (None, rest),
        };
        if platform.is_empty() || user.is_empty() || workspace.as_deref() == Some("") {
            return Err(refuse());
        }
        Ok(Self { platform: platform.to_owned(), workspace, user: user.to_owned() })
    }
}

impl TryFrom<String> for Identity {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Identity> for String {
    fn from(identity: Identity) -> Self {
        identity.to_string()
    }
}

/// What a platform says of an account at the moment it speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whether the platform lets it act: false once it was deactivated.
    pub active: bool,
    /// Whether it is a guest's, an external person's or a bot's: never matched to anybody by its address.
    pub guest: bool,
    /// Its e-mail address, where the platform has confirmed it.
    pub email: Option<String>,
    /// When the platform said so: what it said later counts.
    pub as_of: jiff::Timestamp,
}

/// A human, with linked identities, teams and a time zone. Machine accounts are [`crate::Machine`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The key in the configuration.
    pub id: PersonId,
    /// In whose local time moments are shown to this person.
    pub time_zone: jiff::tz::TimeZone,
    /// All accounts that are this person.
    pub identities: Vec<Identity>,
    /// The e-mail address by which accounts of listed workspaces are this person's too.
    pub email: Option<String>,
    /// The teams that list this person as a member.
    pub teams: Vec<TeamName>,
}

/// Who speaks: a person through one of their identities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// The person.
    pub person: PersonId,
    /// The account through which they spoke.
    pub identity: Identity,
}
