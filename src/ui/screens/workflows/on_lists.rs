//! Actions on the lists of state machines and executions.

use ratatui::layout::Rect;

use crate::domain::execution::{Release, Status};
use crate::ui::action::Action;
use crate::ui::effect::{Effect, Request, Wish};
use crate::ui::overlays::pick::{Item, Pick, Question};
use crate::ui::route::{Route, Screen};
use crate::ui::screens::workflows::lists::Lists;
use crate::ui::screens::workflows::update::{open_form, usual};
use crate::ui::screens::workflows::{Model, Spot, acts};
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::table;
use crate::ui::world::World;

pub fn did(model: &mut Model, world: &mut World, action: Action, area: Rect) -> Vec<Wish> {
    let machines = model.spot == Spot::Machines;
    if let Some(wishes) = model.lists.act(world, action, machines, area) {
        return wishes;
    }
    let lists = &mut model.lists;
    match action {
        Action::Accept => {
            lists.filtering = false;
            lists.look(world, area)
        }
        Action::Back if lists.filtering || !lists.filter.is_empty() => {
            lists.filtering = false;
            lists.filter.clear();
            lists.arrange(world);
            Vec::new()
        }
        // The children of a map run belong to the execution they were reached from.
        Action::Back if lists.map_run().is_some() && !machines => vec![Wish::Back],
        Action::Back if !machines && lists.machines.value().is_some_and(|all| all.len() > 1) => {
            to_machines(model, world, area)
        }
        Action::Back => vec![Wish::Back],
        Action::Filter => {
            lists.filtering = true;
            Vec::new()
        }
        Action::ClearFilter => {
            lists.filter.clear();
            lists.arrange(world);
            Vec::new()
        }
        Action::Failing => {
            lists.failing = !lists.failing;
            lists.cursor = table::Cursor::default();
            lists.arrange(world);
            lists.look(world, area)
        }
        Action::Status | Action::Sort if !machines => vec![Wish::Pick(statuses(lists))],
        Action::Since if !machines => vec![Wish::Pick(times())],
        Action::Releases => releases(model, world),
        Action::Open | Action::Right => open_selected(model),
        Action::Left if !machines => to_machines(model, world, area),
        // Which machine's executions these would be is not known as long as none could be listed.
        Action::Refresh if machines || lists.machine.is_none() && lists.machines.value().is_none() => {
            lists.recent.clear();
            vec![lists.ask_machines(world)]
        }
        Action::Refresh => usual(model, world).into_iter().collect(),
        Action::Start => start(model, world),
        Action::Stop | Action::Watch if !machines && lists.is_express() => {
            vec![Wish::Say(acts::EXPRESS_ENDS.to_owned())]
        }
        Action::Again if !machines && lists.is_express() => {
            vec![Wish::Say("Express executions are not listed, nor their inputs".to_owned())]
        }
        Action::Again if !machines => {
            match lists.selected().map(|e| (e.machine_arn.clone(), lists.input(e).map(str::to_owned))) {
                Some((machine, Some(input))) => acts::again(world, &machine, &input),
                Some(_) => vec![Wish::Say("Its input is not known yet".to_owned())],
                None => Vec::new(),
            }
        }
        Action::Stop if !machines => match lists.selected() {
            Some(execution) if !execution.status.is_over() => acts::ask_cause(&execution.arn),
            Some(_) => vec![Wish::Say("It is over: there is nothing to stop".to_owned())],
            None => Vec::new(),
        },
        Action::Watch if !machines => match lists.selected() {
            Some(execution) => model.board.watch(&execution.arn, execution.status.is_over()),
            None => Vec::new(),
        },
        Action::Again | Action::Stop | Action::Watch => {
            vec![Wish::Say(
                "That is done to an execution: enter lists those of this state machine".to_owned(),
            )]
        }
        Action::Copy => arn(model).map(|arn| Wish::Do(Effect::Copy(arn))).into_iter().collect(),
        Action::Browse => {
            let url = arn(model).map(|arn| acts::url(world, &arn));
            url.map(|url| Wish::Do(Effect::OpenUrl(url))).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn to_machines(model: &mut Model, world: &mut World, area: Rect) -> Vec<Wish> {
    model.spot = Spot::Machines;
    model.lists.look_at_machines(world, area)
}

/// The ARN of what is selected.
fn arn(model: &Model) -> Option<String> {
    match model.spot {
        Spot::Machines => model.lists.selected_machine().map(|machine| machine.arn.clone()),
        _ => model.lists.selected().map(|execution| execution.arn.clone()),
    }
}

pub fn open_selected(model: &Model) -> Vec<Wish> {
    arn(model).map(|arn| Wish::Open(Route::new(Screen::Workflows).object(arn))).into_iter().collect()
}

fn start(model: &mut Model, world: &World) -> Vec<Wish> {
    let lists = &model.lists;
    let machine = match model.spot {
        Spot::Machines => lists.selected_machine().map(|machine| machine.arn.clone()),
        _ => lists.machine.clone(),
    };
    let Some(machine) = machine.filter(|arn| !arn.contains(":mapRun:")) else {
        return vec![Wish::Say("No state machine is known here that could be started".to_owned())];
    };
    // Filled with what the newest run was given.
    let newest = lists.executions.value().and_then(|all| all.first()).filter(|e| e.machine_arn == machine);
    let input = newest.and_then(|execution| lists.input(execution)).map(str::to_owned);
    open_form(model, world, &machine, input.as_deref())
}

const STATUSES: [Status; 6] = [
    Status::Running,
    Status::Succeeded,
    Status::Failed,
    Status::TimedOut,
    Status::Aborted,
    Status::PendingRedrive,
];

fn statuses(lists: &Lists) -> Pick {
    let present = |status| if lists.status == status { "now" } else { "" };
    let mut items = vec![Item::new("", "all", present(None))];
    items.extend(
        STATUSES.map(|status| Item::new(status.as_str(), Badge::status(status).word, present(Some(status)))),
    );
    Pick::among("Only executions that are", Question::Other(acts::STATUS), items)
}

fn times() -> Pick {
    let times = [
        ("", "any time"),
        ("15", "the last 15 minutes"),
        ("60", "the last hour"),
        ("1440", "the last 24 hours"),
        ("10080", "the last 7 days"),
        ("43200", "the last 30 days"),
    ];
    let items = times.map(|(minutes, text)| Item::new(minutes, text, "")).to_vec();
    Pick::among("Only executions that started within", Question::Since, items)
}

/// Versions and aliases, once they are here; opening one lists its executions.
fn releases(model: &mut Model, world: &mut World) -> Vec<Wish> {
    let lists = &mut model.lists;
    let machine = match model.spot {
        Spot::Machines => lists.selected_machine().map(|machine| machine.arn.clone()),
        _ => lists.machine.clone(),
    };
    let Some(machine_arn) = machine.filter(|arn| arn.contains(":stateMachine:")) else { return Vec::new() };
    vec![world.ask(Screen::Workflows, &mut lists.releases, Request::Releases { machine_arn })]
}

/// The answer to [`releases`] as a choice.
pub fn choose_release(versions: &[Release], aliases: &[Release], world: &World) -> Vec<Wish> {
    if versions.is_empty() && aliases.is_empty() {
        let text = "It has no version and no alias: every execution runs the newest definition";
        return vec![Wish::Say(text.to_owned())];
    }
    let name = |arn: &str| arn.rsplit(':').next().unwrap_or(arn).to_owned();
    let item = |one: &Release| {
        let routes: Vec<String> =
            one.routes.iter().map(|(arn, weight)| format!("{weight} % version {}", name(arn))).collect();
        let label = match routes.is_empty() {
            true => format!("version {}", name(&one.arn)),
            false => format!("alias {}: {}", name(&one.arn), routes.join(", ")),
        };
        let created = one.created.map(|at| world.zone().moment(at)).unwrap_or_default();
        Item::new(one.arn.clone(), label, created)
    };
    let items = aliases.iter().chain(versions).map(item).collect();
    vec![Wish::Pick(Pick::among("Executions of an alias or version", Question::Other(acts::RELEASE), items))]
}

pub fn answered(
    model: &mut Model,
    world: &mut World,
    question: &Question,
    answer: &str,
    area: Rect,
) -> Vec<Wish> {
    match question {
        Question::Other(acts::STATUS) => {
            let status = STATUSES.into_iter().find(|status| status.as_str() == answer);
            model.lists.choose_status(world, status).into_iter().collect()
        }
        Question::Since => {
            model.lists.since = answer.parse().ok();
            if model.lists.is_express() {
                return usual(model, world).into_iter().collect();
            }
            model.lists.cursor = table::Cursor::default();
            model.lists.arrange(world);
            model.lists.look(world, area)
        }
        Question::Other(acts::RELEASE) => {
            vec![Wish::Open(Route::new(Screen::Workflows).object(answer))]
        }
        _ => Vec::new(),
    }
}
