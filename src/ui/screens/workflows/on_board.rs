//! The board comes to the front, and what it asks while it is there.

use chrono::TimeDelta;

use crate::ui::effect::Wish;
use crate::ui::screens::workflows::{Model, Spot};
use crate::ui::world::World;

/// How often it is asked which state machines there are: some are made meanwhile.
const MACHINES: TimeDelta = TimeDelta::seconds(30);

/// Puts the board in front and asks anew what runs, of which machines.
pub fn open(model: &mut Model, world: &mut World) -> Vec<Wish> {
    model.spot = Spot::Board;
    if let Some(run) = model.run.as_ref().filter(|run| !run.is_over()) {
        model.board.learn(&run.arn, &run.timeline);
    }
    let machines = model.lists.machines.value().cloned().unwrap_or_default();
    let mut wishes = model.board.ask(world, &machines);
    wishes.extend(machines_after(model, world, TimeDelta::zero()));
    wishes
}

pub fn tick(model: &mut Model, world: &mut World) -> Vec<Wish> {
    let machines = model.lists.machines.value().cloned().unwrap_or_default();
    let mut wishes = model.board.tick(world, &machines);
    wishes.extend(machines_after(model, world, MACHINES));
    wishes
}

/// Asks which state machines there are, when that is known for longer than this. The answer opens the board
/// anew, so that new ones are asked at once.
fn machines_after(model: &mut Model, world: &mut World, age: TimeDelta) -> Option<Wish> {
    let machines = &model.lists.machines;
    let old = machines.at().is_some_and(|at| world.now - at > age);
    (old && !machines.is_waiting()).then(|| model.lists.ask_machines(world))
}
