//! Making things go wrong, and doing things to web sockets.

use crate::Slack;
use crate::faults::{CallFault, ConnectFault, DeliveryFault, Often};
use crate::hub::locked;
use crate::log::DeliveryKind;
use crate::wire::sockets::{Order, Reason};

impl Slack {
    /// Lets calls go wrong; of this method, or of any. `response_url` stands for the response URLs.
    pub fn fail_calls(&self, method: Option<&str>, fault: CallFault, often: Often) {
        locked(&self.hub.faults).calls.plan(method, fault, often);
    }

    /// Lets deliveries go wrong; of this kind, or of any.
    pub fn fail_deliveries(&self, kind: Option<DeliveryKind>, fault: DeliveryFault, often: Often) {
        locked(&self.hub.faults).deliveries.plan(kind.map(DeliveryKind::name), fault, often);
    }

    /// Lets the opening of web sockets go wrong.
    pub fn fail_connects(&self, fault: ConnectFault, often: Often) {
        locked(&self.hub.faults).connects.plan(None, fault, often);
    }

    /// Nothing goes wrong any more; web sockets that are frozen stay so.
    pub fn heal(&self) {
        let mut faults = locked(&self.hub.faults);
        faults.calls.clear();
        faults.deliveries.clear();
        faults.connects.clear();
    }

    /// The numbers of the web sockets that carry new things, in the order of their opening.
    pub fn sockets(&self) -> Vec<u64> {
        self.hub.sockets.open()
    }

    /// Ends a web socket, or all, without a word.
    pub fn drop_sockets(&self, number: Option<u64>) {
        self.hub.sockets.order(number, || Order::Drop);
    }

    /// Lets a web socket, or all, neither read nor write any more, and stay open.
    pub fn freeze_sockets(&self, number: Option<u64>) {
        self.hub.sockets.order(number, || Order::Freeze);
    }

    /// Tells the bot that a web socket, or all, will go away, and lets it go.
    pub fn disconnect_sockets(&self, number: Option<u64>, reason: Reason) {
        self.hub.sockets.order(number, || Order::Disconnect(reason));
    }
}
