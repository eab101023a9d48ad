//! The local deployer and the keeper over real processes: a keeper, services, a proxy and requests, as on a server.

mod adopt;
mod artifacts;
mod clock;
mod failing;
mod orders;
mod stage;
mod surroundings;
mod switch;
