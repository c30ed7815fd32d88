//! Actions on one execution.

use ratatui::layout::{Position, Rect};

use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::effect::{Effect, Wish};
use crate::ui::screens::workflows::inspect::{self, Tab};
use crate::ui::screens::workflows::run::{Pane, Run, View};
use crate::ui::screens::workflows::update::open_form;
use crate::ui::screens::workflows::{Model, acts};
use crate::ui::world::World;

pub fn did(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    let Some(run) = &mut model.run else { return vec![Wish::Back] };
    if run.searching {
        return searching(run, world, action);
    }
    let said = |text: &str| vec![Wish::Say(text.to_owned())];
    match action {
        Action::NextPane | Action::PreviousPane => {
            run.pane = if run.pane == Pane::Main { Pane::Inspector } else { Pane::Main };
            run.settle(world);
        }
        Action::Open if run.pane == Pane::Main => {
            run.pane = Pane::Inspector;
            run.settle(world);
        }
        Action::Open | Action::Fold => {
            let area = run.document_area(world);
            run.document.act(Action::Fold, area);
        }
        Action::Back if run.pane == Pane::Inspector => {
            run.pane = Pane::Main;
            run.settle(world);
        }
        Action::Back if run.leave_item(world) => return said("All items together again"),
        Action::Back => return vec![Wish::Back],
        Action::Item => return run.ask_item(world),
        Action::Left | Action::Right if run.pane == Pane::Inspector => {
            let tabs = inspect::tabs(run);
            let at = tabs.iter().position(|tab| *tab == run.tab).unwrap_or(0);
            let to = if action == Action::Right { at + 1 } else { at + tabs.len() - 1 };
            return show_tab(run, world, tabs[to % tabs.len()]);
        }
        Action::Right | Action::NextView => turn(run, world, true),
        Action::Left | Action::PreviousView => turn(run, world, false),
        Action::PreviousVisit | Action::NextVisit => {
            if !run.turn_visit(world, action == Action::NextVisit) {
                return said("This state has no other pass in that direction");
            }
            return run.ask_tab(world);
        }
        Action::ZoomIn | Action::ZoomOut | Action::ZoomAll | Action::PanLeft | Action::PanRight => {
            if !run.shift(world, action) {
                return said("The timeline can be zoomed and panned, the graph's picture panned");
            }
        }
        Action::Layout if run.view == View::Graph => run.turn_drawing(world),
        Action::Follow => {
            run.follow = !run.follow;
            run.go_along(world);
            return said(if run.follow { "Following what runs" } else { "Staying here" });
        }
        Action::Filter => run.searching = true,
        Action::NextMatch | Action::PreviousMatch => return find(run, world, action == Action::NextMatch),
        Action::Refresh => {
            run.ended = false;
            run.stream = None;
            run.read_anew(false);
            run.counted.clear();
            let mut wishes = run.ask(world);
            wishes.extend(run.ask_counts(world));
            return wishes;
        }
        Action::Stop if run.is_over() => return said("It is over: there is nothing to stop"),
        Action::Stop | Action::Watch if run.is_express() && !run.is_over() => {
            return said(acts::EXPRESS_ENDS);
        }
        Action::Stop => return acts::ask_cause(&run.arn),
        Action::Redrive => return acts::redrive(run),
        Action::Answer => return acts::ask_answer(run),
        Action::CopyReport => return acts::copy_report(run),
        Action::Related => return acts::related(run, world),
        Action::Watch => {
            let arn = run.arn.clone();
            let over = run.is_over();
            return model.board.watch(&arn, over);
        }
        Action::Again | Action::Start => {
            let machine = run.machine_arn();
            let input = run.timeline.input().map(String::from);
            let input = input.or_else(|| run.execution.value().and_then(|execution| execution.input.clone()));
            return match (action, input) {
                (Action::Again, Some(input)) => acts::again(world, &machine, &input),
                (Action::Again, None) => said("Its input is not known yet"),
                (_, input) => open_form(model, world, &machine, input.as_deref()),
            };
        }
        Action::Copy if run.pane == Pane::Inspector => {
            return vec![Wish::Do(Effect::Copy(run.document.value()))];
        }
        Action::Copy if run.view == View::Summary => return acts::copy_report(run),
        Action::Copy => return vec![Wish::Do(Effect::Copy(run.arn.clone()))],
        Action::CopyMore => return vec![Wish::Pick(acts::copies(run, world))],
        Action::Browse => return vec![Wish::Do(Effect::OpenUrl(acts::url(world, &run.arn)))],
        _ if run.pane == Pane::Inspector => {
            let area = run.document_area(world);
            run.document.act(action, area);
        }
        _ => {
            run.act(world, action);
            return run.ask_tab(world);
        }
    }
    Vec::new()
}

fn searching(run: &mut Run, world: &World, action: Action) -> Vec<Wish> {
    match action {
        Action::Accept => {
            run.searching = false;
            find(run, world, true)
        }
        Action::Back => {
            run.searching = false;
            run.search.clear();
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// In the events when they are in front and have the focus, else in the inspector.
fn find(run: &mut Run, world: &World, forward: bool) -> Vec<Wish> {
    if run.search.is_empty() {
        return Vec::new();
    }
    let found = if run.view == View::Events && run.pane == Pane::Main {
        run.find_event(world, forward)
    } else {
        let area = run.document_area(world);
        let needle = run.search.text().to_owned();
        run.document.find(&needle, forward, area)
    };
    if found { Vec::new() } else { vec![Wish::Say(format!("Nothing contains {}", run.search.text()))] }
}

fn turn(run: &mut Run, world: &World, forward: bool) {
    let views = run.views();
    let at = views.iter().position(|view| *view == run.view).unwrap_or(0);
    let to = if forward { at + 1 } else { at + views.len() - 1 };
    look(run, world, views[to % views.len()]);
}

fn look(run: &mut Run, world: &World, view: View) {
    run.view = view;
    run.offset = 0;
    if view == View::Events && run.event.is_none() {
        run.event = run.timeline.last_event().map(|event| event.id);
    }
    run.settle(world);
}

fn show_tab(run: &mut Run, world: &mut World, tab: Tab) -> Vec<Wish> {
    run.tab = tab;
    let wishes = run.ask_tab(world);
    run.settle(world);
    wishes
}

pub fn clicked(run: &mut Run, world: &mut World, at: Position, body: Rect) -> Vec<Wish> {
    let panes = areas::panes(body, run.pane == Pane::Inspector);
    if let Some(area) = panes.detail.filter(|area| area.contains(at)) {
        run.pane = Pane::Inspector;
        if at.y == area.y + 3 && run.view != View::Events {
            let tabs = inspect::tabs(run);
            let seen = inspect::in_sight(&tabs, run.tab, area.width);
            let names: Vec<&str> = tabs[seen.clone()].iter().map(|tab| tab.title()).collect();
            // The mark of what is left out takes two columns.
            let left = area.x + if seen.start > 0 { 2 } else { 0 };
            let hidden = at.x + 2 >= area.right() && seen.end < tabs.len();
            return match tab_at(&names, left, at.x) {
                Some(tab) => show_tab(run, world, tabs[seen.start + tab]),
                None if hidden => show_tab(run, world, tabs[seen.end]),
                None if at.x < left => show_tab(run, world, tabs[seen.start - 1]),
                None => Vec::new(),
            };
        }
        let area = run.document_area(world);
        run.document.click(area, at);
        return Vec::new();
    }
    let Some(area) = panes.list.filter(|area| area.contains(at)) else { return Vec::new() };
    run.pane = Pane::Main;
    if at.y == area.y + 1 {
        let names: Vec<&str> = run.views().iter().map(|view| view.title()).collect();
        if let Some(view) = tab_at(&names, area.x, at.x) {
            look(run, world, run.views()[view]);
            return Vec::new();
        }
    }
    let main = run.main_area(world);
    if main.contains(at) {
        run.click(world, (usize::from(at.x - main.x), usize::from(at.y - main.y)));
    }
    run.ask_tab(world)
}

/// Which of some titles, two blanks apart, stands at a column.
fn tab_at(titles: &[&str], left: u16, x: u16) -> Option<usize> {
    let mut from = left;
    titles.iter().position(|title| {
        let width = title.len() as u16;
        let here = (from..from + width).contains(&x);
        from += width + 2;
        here
    })
}
