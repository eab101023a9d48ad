//! One web socket, from its ticket to its end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::envelopes;
use super::sockets::{Order, Reason};
use crate::clock;
use crate::hub::Hub;

/// Between a warning and the end.
const WARNING: Duration = Duration::from_secs(10);

/// Serves a web socket until it ends.
pub(crate) async fn serve(hub: Arc<Hub>, mut socket: WebSocket) {
    let (orders, received) = unbounded_channel();
    let Some((number, count)) = hub.sockets.join(orders) else {
        let _ = socket.send(Message::from(envelopes::disconnect("too_many_websockets", 0))).await;
        let _ = socket.send(Message::Close(None)).await;
        return;
    };
    if socket.send(Message::from(envelopes::hello(count, number))).await.is_ok() {
        talk(&hub, &mut socket, number, received).await;
    }
    hub.sockets.leave(number);
}

async fn talk(hub: &Arc<Hub>, socket: &mut WebSocket, number: u64, mut orders: UnboundedReceiver<Order>) {
    loop {
        tokio::select! {
            heard = socket.recv() => {
                let Some(Ok(heard)) = heard else { return };
                if !take(hub, &heard) {
                    return;
                }
            }
            order = orders.recv() => match order {
                Some(Order::Say(text)) => {
                    if socket.send(Message::from(text)).await.is_err() {
                        return;
                    }
                }
                Some(Order::Disconnect(reason)) => {
                    if !say_goodbye(hub, socket, number, reason).await {
                        return;
                    }
                }
                Some(Order::Freeze) => freeze(&mut orders).await,
                Some(Order::Drop) | None => return,
            },
        }
    }
}

/// Takes what the bot said; whether the connection goes on.
fn take(hub: &Hub, heard: &Message) -> bool {
    match heard {
        Message::Text(text) => {
            if let Some((id, payload)) = envelopes::acknowledgement(text) {
                hub.sockets.acknowledged(&id, payload);
            }
            true
        }
        Message::Close(_) => false,
        // Pings are answered by the library.
        _ => true,
    }
}

/// Says why the connection goes away, and orders its end; whether it goes on until then.
async fn say_goodbye(hub: &Arc<Hub>, socket: &mut WebSocket, number: u64, reason: Reason) -> bool {
    let said = socket.send(Message::from(envelopes::disconnect(reason.name(), number))).await.is_ok();
    let (after, then): (_, fn() -> Order) = match reason {
        Reason::Warning => (WARNING, || Order::Disconnect(Reason::RefreshRequested)),
        Reason::RefreshRequested => {
            hub.sockets.stop_sending_to(number);
            (hub.settings.refresh_grace, || Order::Drop)
        }
        Reason::LinkDisabled => {
            let _ = socket.send(Message::Close(None)).await;
            return false;
        }
    };
    let shared = Arc::clone(hub);
    hub.runtime.spawn(async move {
        clock::sleep(after).await;
        shared.sockets.order(Some(number), then);
    });
    said
}

/// Neither reads nor writes, as a peer that went away without a word, until it is dropped.
async fn freeze(orders: &mut UnboundedReceiver<Order>) {
    while let Some(order) = orders.recv().await {
        if matches!(order, Order::Drop) {
            return orders.close();
        }
    }
}
