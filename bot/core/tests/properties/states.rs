//! The states of an operation: the table as the design has it, written a second time.

use andon_core::{Cause, OperationState};
use proptest::prelude::*;

const CAUSES: [Cause; 13] = [
    Cause::Approved,
    Cause::Denied,
    Cause::Expired,
    Cause::Cancelled,
    Cause::Started,
    Cause::WorldMoved,
    Cause::Succeeded,
    Cause::Failed,
    Cause::RolledBack,
    Cause::Lost,
    Cause::SettledSucceeded,
    Cause::SettledFailed,
    Cause::SettledCancelled,
];

/// Every step that there is: from, cause, to. What is not in here cannot happen.
const STEPS: [(&str, Cause, &str); 16] = [
    ("waiting_approval", Cause::Approved, "queued"),
    ("waiting_approval", Cause::Denied, "denied"),
    ("waiting_approval", Cause::Expired, "expired"),
    ("waiting_approval", Cause::Cancelled, "cancelled"),
    ("queued", Cause::Started, "running"),
    ("queued", Cause::Cancelled, "cancelled"),
    ("queued", Cause::Expired, "expired"),
    ("queued", Cause::WorldMoved, "failed"),
    ("running", Cause::Succeeded, "succeeded"),
    ("running", Cause::Failed, "failed"),
    ("running", Cause::RolledBack, "rolled_back"),
    ("running", Cause::Cancelled, "cancelled"),
    ("running", Cause::Lost, "unknown"),
    ("unknown", Cause::SettledSucceeded, "succeeded"),
    ("unknown", Cause::SettledFailed, "failed"),
    ("unknown", Cause::SettledCancelled, "cancelled"),
];

/// The position of a cause; a new one does not compile until it is in this table.
const fn place(cause: Cause) -> usize {
    match cause {
        Cause::Approved => 0,
        Cause::Denied => 1,
        Cause::Expired => 2,
        Cause::Cancelled => 3,
        Cause::Started => 4,
        Cause::WorldMoved => 5,
        Cause::Succeeded => 6,
        Cause::Failed => 7,
        Cause::RolledBack => 8,
        Cause::Lost => 9,
        Cause::SettledSucceeded => 10,
        Cause::SettledFailed => 11,
        Cause::SettledCancelled => 12,
    }
}

#[test]
fn every_state_and_cause_is_as_the_design_says() {
    for state in OperationState::ALL {
        for (index, cause) in CAUSES.into_iter().enumerate() {
            assert_eq!(place(cause), index);
            let step = STEPS.iter().find(|(from, by, _)| *from == state.as_str() && *by == cause);
            let after = state.after(cause).map(OperationState::as_str);
            assert_eq!(after, step.map(|(_, _, to)| *to), "{state:?} after {cause:?}");
        }
    }
}

#[test]
fn final_states_are_those_without_a_way_on() {
    for state in OperationState::ALL {
        let goes_on = CAUSES.into_iter().any(|cause| state.after(cause).is_some());
        assert_eq!(state.is_final(), !goes_on, "{state:?}");
        assert_eq!(OperationState::parse(state.as_str()), Some(state));
    }
}

proptest! {
    #[test]
    fn a_walk_through_the_states_ends_and_stays(causes in prop::collection::vec(0..CAUSES.len(), 0..64)) {
        let mut state = OperationState::WaitingApproval;
        let mut seen = vec![state];
        for cause in causes {
            let cause = CAUSES[cause];
            let Some(next) = state.after(cause) else { continue };
            prop_assert!(!state.is_final(), "{state:?} went on to {next:?}");
            prop_assert!(!seen.contains(&next), "{next:?} came twice");
            // Success is seen or settled, and nothing runs that was not approved and marked as started.
            if next == OperationState::Succeeded {
                prop_assert!(seen.contains(&OperationState::Queued) && seen.contains(&OperationState::Running));
            }
            seen.push(next);
            state = next;
        }
        prop_assert!(seen.len() <= 5, "{seen:?}");
    }

    #[test]
    fn no_other_name_is_a_state(name in "\\PC{0,20}") {
        prop_assert_eq!(OperationState::parse(&name).map(OperationState::as_str), STATES.contains(&&*name).then_some(&*name));
    }
}

const STATES: [&str; 10] = [
    "waiting_approval",
    "queued",
    "running",
    "succeeded",
    "failed",
    "rolled_back",
    "cancelled",
    "expired",
    "denied",
    "unknown",
];
