//! The card of an operation: the one live message that shows where it stands, drawn anew from the database whenever that changes.

use andon_core::{
    Action, Ask, Block, Catalog, Digest, Failure, Finding, GateState, Line, Message, OperationId, OperationState,
    PersonId, Plan, RecordNumber, Room, RoomRoute, Style, Target, Tone,
};
use andon_store::{ApprovalRow, Connection, NewCard, NewMessage, OperationRow, Transaction};
use jiff::SignedDuration;

use crate::house::House;
use crate::people;
use crate::plan;
use crate::probe::Point;
use crate::reply;
use crate::work::Work;

/// How long news about an operation is worth delivering.
const NEWS_EXPIRES: SignedDuration = SignedDuration::from_hours(24);

/// Places the card of a new operation in the asker's room and in every room that the configuration names for its services.
pub(crate) async fn place(
    house: &House,
    transaction: &mut Transaction<'_>,
    operation: OperationId,
    work: &Work,
) -> Result<(), Failure> {
    let (row, message) = message(house, transaction, operation).await?;
    for room in rooms(work.catalog(), Some(&row.room), &row.targets) {
        let asker = (room == work.room).then(|| work.speaker.identity.clone());
        transaction.put_card(&NewCard { operation, room, asker, message: message.clone() }).await?;
    }
    (house.probe)(Point::Placed);
    Ok(())
}

/// The rooms of what happens on `targets`, each once: where it was asked, and where the configuration wants the cards of their services.
pub(crate) fn rooms(catalog: &Catalog, asked: Option<&Room>, targets: &[Target]) -> Vec<Room> {
    let concerns = |route: &&RoomRoute| {
        route.services.iter().any(|service| targets.iter().any(|target| target.service == *service))
    };
    let mut rooms: Vec<Room> = asked.cloned().into_iter().collect();
    for route in catalog.rooms.iter().filter(concerns) {
        if !rooms.contains(&route.room) {
            rooms.push(route.room.clone());
        }
    }
    rooms
}

/// Draws the cards of an operation again, wherever they are placed.
pub(crate) async fn draw(
    house: &House,
    transaction: &mut Transaction<'_>,
    operation: OperationId,
) -> Result<(), Failure> {
    let message = present(house, transaction, operation).await?;
    transaction.redraw_cards(operation, &message).await?;
    (house.probe)(Point::Drawn);
    Ok(())
}

/// Says the cards of an operation once more, as it stands now: somebody acts on a card that shows it otherwise.
pub(crate) async fn repeat(
    house: &House,
    transaction: &mut Transaction<'_>,
    operation: OperationId,
) -> Result<(), Failure> {
    let message = present(house, transaction, operation).await?;
    Ok(transaction.repeat_cards(operation, &message).await?)
}

/// What the cards are to read now. Whoever draws holds the row, so that what was true first is not drawn last.
async fn present(house: &House, transaction: &mut Transaction<'_>, operation: OperationId) -> Result<Message, Failure> {
    transaction.hold_operation(operation).await?;
    Ok(message(house, transaction, operation).await?.1)
}

async fn message(
    house: &House,
    transaction: &mut Transaction<'_>,
    operation: OperationId,
) -> Result<(OperationRow, Message), Failure> {
    let mut connection = transaction.connection();
    let row = connection
        .operation(operation)
        .await?
        .ok_or_else(|| andon_core::Fault::new("an operation to be drawn is not there"))?;
    let mut approvals = connection.approvals(operation).await?;
    if row.state == OperationState::WaitingApproval {
        approvals = of_linked(house, &mut connection, approvals).await?;
    }
    let record = connection.record_by_id(row.planned_record).await?.map(|record| (record.number, record.leaf_hash));
    let card = card(&row, &approvals, record);
    Ok((row, card))
}

/// The approvals of those whose accounts are still theirs: others do not count.
async fn of_linked(
    house: &House,
    connection: &mut Connection<'_>,
    approvals: Vec<ApprovalRow>,
) -> Result<Vec<ApprovalRow>, Failure> {
    let configuration = house.configuration();
    let mut linked = Vec::new();
    for approval in approvals {
        let speaker = people::speaker(&configuration.catalog, connection, &approval.by.identity).await?;
        if speaker.as_ref() == Some(&approval.by) {
            linked.push(approval);
        }
    }
    Ok(linked)
}

/// Asks those who can approve: one of the three moments that make a new message with a mention. Wherever the card is, since who asked in
/// a direct message has no approvers there.
pub(crate) async fn ask_approvers(
    house: &House,
    transaction: &mut Transaction<'_>,
    operation: OperationId,
    work: &Work,
    approvers: &[PersonId],
) -> Result<(), Failure> {
    let (row, _) = message(house, transaction, operation).await?;
    let mentioned = approvers.iter().fold(Line::new(), |line, person| line.mention(person).text(" "));
    let line = mentioned.text("Approve? ").line(&row.plan.summary).text(", asked by ").person(&row.asked_by.person);
    let line = line.text(": ").code(format!("approve {}", row.number));
    let message = Message::new(line).tone(Tone::Attention);
    for room in rooms(work.catalog(), Some(&row.room), &row.targets) {
        tell(house, transaction, &row, room, &message, false).await?;
    }
    Ok(())
}

/// Tells the asker the end: the other two moments that make a new message with a mention.
pub(crate) async fn tell_end(
    house: &House,
    transaction: &mut Transaction<'_>,
    operation: OperationId,
) -> Result<(), Failure> {
    let (row, _) = message(house, transaction, operation).await?;
    let line = Line::new().mention(&row.asked_by.person).text(" ").line(&sentence(&row));
    let message = with_log(Message::new(line).tone(tone(row.state)), &row);
    tell(house, transaction, &row, row.room.clone(), &message, row.urgent).await
}

async fn tell(
    house: &House,
    transaction: &mut Transaction<'_>,
    row: &OperationRow,
    room: Room,
    message: &Message,
    urgent: bool,
) -> Result<(), Failure> {
    let expires_at = house.clock.now().saturating_add(NEWS_EXPIRES).unwrap_or(jiff::Timestamp::MAX);
    let new = NewMessage {
        asker: (room == row.room).then(|| row.asked_by.identity.clone()),
        operation: Some(row.id),
        under_card: true,
        urgent,
        ..NewMessage::new(room, message.clone(), expires_at)
    };
    Ok(transaction.put_message(&new).await?)
}

/// The plan of a change that is only shown. The button does it: its line says `for_good` what was only to be shown, as long as that is.
pub(crate) fn dry_run(plan: &Plan, digest: Digest, for_good: Option<&str>) -> Message {
    let message =
        Message::new(Line::new().text("Dry run: ").line(&plan.summary)).fact("plan", Line::new().code(digest.short()));
    let verdict = match plan.closed_gate() {
        Some((gate, _)) => format!("It would be refused by the {} gate. Nothing was changed.", gate.as_str()),
        None => "Nothing was changed.".to_owned(),
    };
    let message = with_plan(message, plan).paragraph(verdict);
    match for_good {
        Some(line) if plan.closed_gate().is_none() => {
            message.action(Action::of_any_length("Do it", Style::Primary, line))
        }
        _ => message,
    }
}

/// The card of an operation.
fn card(row: &OperationRow, approvals: &[ApprovalRow], record: Option<(Option<RecordNumber>, Digest)>) -> Message {
    let mut message = Message::new(sentence(row)).tone(tone(row.state));
    message = message
        .fact("operation", Line::new().code(row.number))
        .fact("asked by", Line::new().person(&row.asked_by.person))
        .fact("plan", Line::new().code(row.digest.short()));
    message = with_plan(message, &row.plan);
    if row.approvals_needed > 0 {
        message = message.fact("approvals", approval_line(row, approvals));
    }
    if row.state == OperationState::WaitingApproval {
        message = message.fact("expires", Line::new().time(row.expires_at));
    }
    if let Some((number, leaf_hash)) = record {
        message = message.fact("record", reply::record_line(number, leaf_hash));
    }
    message = with_outcome(message, row);
    actions(row).into_iter().fold(message, Message::action)
}

fn with_plan(mut message: Message, plan: &Plan) -> Message {
    for step in &plan.change.steps {
        let from = shown(step.from.as_deref());
        let to = shown(step.to.as_deref());
        message =
            message.fact("changes", Line::new().text(format!("{}: ", step.target)).code(from).text(" → ").code(to));
    }
    for finding in &plan.findings {
        message = match finding {
            Finding::Note { name, value } => message.fact(name.clone(), value.clone()),
            Finding::Gate { gate, state, reason } => {
                message.fact(gate.as_str(), Line::new().text(gate_mark(*state)).text(" ").line(reason))
            }
        };
    }
    match &plan.change.undo {
        Some(undo) => message.fact("undo", Line::new().code(undo)),
        None => message,
    }
}

/// `v2@<64 hex digits>` as people compare it: the version and the first eight.
fn shown(end: Option<&str>) -> String {
    match end.map(|end| (end, end.split_once('@'))) {
        None => "nothing".to_owned(),
        Some((_, Some((version, digest)))) if digest.len() == 64 => format!("{version}@{}", &digest[..8]),
        Some((end, _)) => end.to_owned(),
    }
}

pub(crate) const fn gate_mark(state: GateState) -> &'static str {
    match state {
        GateState::Passed => "passed:",
        GateState::Waiting => "waits:",
        GateState::Closed => "closed:",
        GateState::Exempt => "exempt:",
    }
}

fn approval_line(row: &OperationRow, approvals: &[ApprovalRow]) -> Line {
    let mut line = Line::new().text(format!("{} of {}", approvals.len(), row.approvals_needed));
    for (place, approval) in approvals.iter().enumerate() {
        line = line.text(if place == 0 { ": " } else { ", " }).person(&approval.by.person);
    }
    line
}

fn with_outcome(message: Message, row: &OperationRow) -> Message {
    let Some(outcome) = &row.outcome else { return message };
    match &outcome.observed {
        Some(observed) => message.fact("seen", observed.clone()),
        None => message,
    }
}

/// With the end of its log, for the card's thread: the card itself stays short.
pub fn with_log(message: Message, row: &OperationRow) -> Message {
    match row.outcome.as_ref().and_then(|outcome| outcome.details.clone()) {
        Some(log) => message.block(Block::Heading("The end of its log".to_owned())).block(Block::Quote(log)),
        None => message,
    }
}

/// The whole fact in one line, verb first.
fn sentence(row: &OperationRow) -> Line {
    let summary = &row.plan.summary;
    match (row.state, &row.outcome) {
        (OperationState::WaitingApproval, _) => Line::new().text("Approve? ").line(summary),
        (OperationState::Queued, _) => Line::new().text("Queued: ").line(summary),
        (OperationState::Running, _) => {
            let phase = row.phase.as_deref().unwrap_or("starting");
            let cancelling = if row.cancel_requested { "cancelling, " } else { "" };
            Line::new().text("Running: ").line(summary).text(format!(" ({cancelling}{phase})"))
        }
        (_, Some(outcome)) => outcome.summary.clone(),
        (state, None) => Line::new().text(format!("{}: ", state.words())).line(summary),
    }
}

const fn tone(state: OperationState) -> Tone {
    match state {
        OperationState::WaitingApproval => Tone::Attention,
        OperationState::Queued | OperationState::Running => Tone::Working,
        OperationState::Succeeded => Tone::Good,
        OperationState::Cancelled | OperationState::Expired => Tone::Plain,
        OperationState::Failed | OperationState::RolledBack | OperationState::Denied | OperationState::Unknown => {
            Tone::Bad
        }
    }
}

fn actions(row: &OperationRow) -> Vec<Action> {
    let number = row.number;
    let cancel = || Action::new("Cancel", Style::Plain, format!("cancel {number}"));
    match row.state {
        OperationState::WaitingApproval => vec![
            Action::new("Approve", Style::Primary, format!("approve {number} --plan {}", row.digest))
                .asking(Ask::Confirmation(row.plan.summary.clone())),
            Action::new("Deny", Style::Danger, format!("deny {number}")).asking(Ask::Reason),
            cancel(),
        ],
        OperationState::Queued | OperationState::Running if !row.cancel_requested => vec![cancel()],
        OperationState::Succeeded => row
            .plan
            .change
            .undo
            .iter()
            .filter(|line| line.starts_with("rollback ") && line.len() <= 100)
            .map(roll_back)
            .collect(),
        OperationState::Failed if row.started_at.is_none() => ask_again(row).into_iter().collect(),
        OperationState::Failed if row.outcome.as_ref().is_some_and(|outcome| outcome.details.is_some()) => {
            vec![Action::new("Show log", Style::Plain, format!("why {number}"))]
        }
        OperationState::Unknown => vec![
            Action::new("It succeeded", Style::Plain, format!("settle {number} succeeded")),
            Action::new("It failed", Style::Danger, format!("settle {number} failed")),
        ],
        _ => Vec::new(),
    }
}

fn roll_back(line: &String) -> Action {
    let what = Line::new().text("Go back to the release live just before: ").code(line);
    Action::new("Roll back", Style::Danger, line).asking(Ask::Confirmation(what))
}

/// What was planned stands no more: the same line asks again, as a new operation.
fn ask_again(row: &OperationRow) -> Option<Action> {
    let line = plan::of_any_plan(&row.said, row.digest);
    (line.len() <= 100).then(|| Action::new("Ask again", Style::Primary, line))
}
