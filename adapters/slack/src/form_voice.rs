//! Forms as places where something can be said: the plan of a change that is asked for in a form is shown in that form. Nothing of it is
//! kept in this process, since the answer may be said by another replica: the room itself names the form.

use andon_core::ports::{Placement, VoiceError};
use andon_core::{Message, Room};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::form::{self, Place};
use crate::slack::Parts;

/// How rooms are marked that are forms.
const FORM: &str = "form-";
/// How often, and how long apart, a form is looked for that Slack does not know yet: the answer can be quicker than the acknowledgement
/// that makes Slack show the form.
const LOOKS: usize = 8;
const APART: SignedDuration = SignedDuration::from_millis(250);

/// A form: its own name, and the thread in which it was opened.
pub(crate) struct Form<'a> {
    name: &'a str,
    pub(crate) thread: Option<&'a str>,
}

/// The thread of a room that is a form called `name`, opened in `thread`.
pub(crate) fn thread_of(name: &str, thread: Option<&str>) -> String {
    match thread {
        Some(thread) => format!("{FORM}{name}-{thread}"),
        None => format!("{FORM}{name}"),
    }
}

/// The form that a room is.
pub(crate) fn form_of(room: &Room) -> Option<Form<'_>> {
    let named = room.thread.as_deref()?.strip_prefix(FORM)?;
    let (name, thread) = match named.split_once('-') {
        Some((name, thread)) => (name, Some(thread)),
        None => (named, None),
    };
    Some(Form { name, thread })
}

/// Shows a message in its form. One that was closed meanwhile is gone for good.
///
/// # Errors
/// See [`VoiceError`].
pub(crate) async fn show(
    parts: &Parts,
    form: Form<'_>,
    room: &Room,
    message: &Message,
) -> Result<Placement, VoiceError> {
    let place = Place { thread: form.thread.map(str::to_owned), ..room.clone() };
    let people = |person: &andon_core::PersonId| parts.user(person, room.workspace.as_deref());
    let view = form::preview(message, &people, &place, form.name);
    let request = json!({ "external_id": form.name, "view": view });
    let mut looks = LOOKS;
    loop {
        looks -= 1;
        match parts.api.call::<Value>("views.update", &request).await {
            Ok(_) => return Ok(Placement(form.name.to_owned())),
            Err(error) if error.is("not_found") && looks > 0 => parts.clock.sleep(APART).await,
            Err(error) => return Err(error.into()),
        }
    }
}
