//! What must hold of the words of the house for every input.

mod names;
mod plan;
mod states;
mod text;
