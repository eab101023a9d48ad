//! Who has which accounts: what voices ask when a message names a person.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::{Identity, PersonId};

/// The accounts of all people, as they stand now. Cheap to clone; all clones are the same directory.
#[derive(Clone, Debug, Default)]
pub struct Directory(Arc<RwLock<BTreeMap<PersonId, Vec<Identity>>>>);

impl Directory {
    /// Puts other accounts in the place of all that there were.
    pub fn replace(&self, people: impl IntoIterator<Item = (PersonId, Vec<Identity>)>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = people.into_iter().collect();
    }

    /// The account of a person on a platform, in `workspace` where the platform has workspaces for people.
    pub fn account(&self, person: &PersonId, platform: &str, workspace: Option<&str>) -> Option<Identity> {
        let people = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let theirs = |identity: &&Identity| identity.platform == platform && identity.workspace.as_deref() == workspace;
        people.get(person)?.iter().find(theirs).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::Directory;

    #[test]
    fn a_person_is_known_by_the_account_of_that_place_alone() {
        let directory = Directory::default();
        let ana = "ana".parse().expect("a person");
        let accounts = ["slack:T1/U1", "slack:T2/U2", "discord:7"].map(|account| account.parse().expect("an account"));
        directory.replace([(ana, accounts.to_vec())]);
        let account = |platform, workspace| {
            let ana = "ana".parse().expect("a person");
            directory.account(&ana, platform, workspace).map(|identity| identity.user)
        };
        assert_eq!(account("slack", Some("T2")).as_deref(), Some("U2"));
        assert_eq!(account("discord", None).as_deref(), Some("7"));
        assert_eq!(account("slack", Some("T3")), None);
        assert_eq!(account("slack", None), None);
    }
}
