//! Routes a fact to the overlay or the screen that has the floor; settles what the shell can settle.

mod pointer;

use crossterm::event::{KeyEvent, KeyEventKind};

use crate::domain::problem::Problem;
use crate::ui::action::Action;
use crate::ui::effect::{Effect, Reply, Wish};
use crate::ui::keymap::{Chord, Found};
use crate::ui::model::Model;
use crate::ui::msg::{Happening, Msg};
use crate::ui::overlays::Overlay;
use crate::ui::overlays::help::Help;
use crate::ui::overlays::palette::palette;
use crate::ui::overlays::pick::{Pick, Question};
use crate::ui::overlays::problems::Problems;
use crate::ui::remote::Ticket;
use crate::ui::route::{Route, Screen};
use crate::ui::screens;
use crate::ui::subs::Sub;
use crate::ui::world::Link;

/// So many places are remembered.
const PLACES: usize = 100;

/// Equal model and message give equal model and effects.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    let all = &mut effects;
    match msg {
        Msg::Pressed(key) => pressed(model, key, all),
        Msg::Pasted(text) => match &mut model.overlay {
            Some(Overlay::Pick(pick)) => pick.paste(&text),
            Some(_) => {}
            None => front(model, screens::Msg::Pasted(text), all),
        },
        Msg::Moused(mouse) => pointer::moused(model, mouse, all),
        Msg::Resized { width, height } => {
            model.world.size = (width, height);
            everyone(model, &screens::Msg::Resized, all);
            if let Some(Overlay::Help(help)) = &mut model.overlay {
                help.scroll(0, (width, height));
            }
        }
        Msg::Focused(_) | Msg::Resumed => {}
        Msg::Ticked(now) => {
            model.world.now = now;
            let today = model.world.zone().date(now);
            if !model.world.setup.as_of_chosen && today > model.world.as_of {
                model.world.as_of = today;
                everyone(model, &screens::Msg::Changed, all);
            }
            // Records that are here are read again when somebody asks for it.
            let world = &mut model.world;
            if world.facilities.problem().is_some_and(|problem| problem.retry)
                && world.facilities.is_due(now, world.patience(false))
            {
                all.extend(world.load_facilities());
            }
            front(model, screens::Msg::Ticked, all);
        }
        Msg::Connected(link) => {
            if let Link::Down(problem) = &link {
                blame(model, problem.clone());
            }
            model.world.link = link;
        }
        Msg::Replied(ticket, answer) => replied(model, ticket, answer, all),
        Msg::Progressed(ticket, done, total) => match ticket.owner {
            None => model.world.facilities.progressed(ticket, done, total),
            Some(screen) => tell(model, screen, screens::Msg::Progressed(ticket, done, total), all),
        },
        Msg::Happened(happening) => {
            match &happening {
                Happening::Interrupted(_, problem) => unanswered(model, problem.clone()),
                Happening::Ended(..) => {}
                _ => answers_again(model),
            }
            // Executions are followed for other screens too, and the watched ones on every screen.
            let runs = matches!(
                happening,
                Happening::Events(..)
                    | Happening::Interrupted(Sub::Execution(_), _)
                    | Happening::Ended(Sub::Execution(_), _)
            );
            if runs && model.screen != Screen::Workflows {
                tell(model, Screen::Workflows, screens::Msg::Happened(happening.clone()), all);
            }
            front(model, screens::Msg::Happened(happening), all);
        }
        Msg::Lit { dark } => {
            model.world.theme = crate::ui::theme::Theme::named(if dark { "dark" } else { "light" });
        }
        Msg::Noted(text) => model.note = Some((text, false)),
        Msg::Warned(problem) => blame(model, problem),
    }
    effects.extend(model.world.superseded.drain(..).map(Effect::Forget));
    effects
}

/// Hands a message to one screen and grants its wishes.
pub(crate) fn tell(model: &mut Model, screen: Screen, msg: screens::Msg, effects: &mut Vec<Effect>) {
    let (place, world) = model.place_mut(screen);
    let wishes = place.update(world, msg);
    grant(model, screen, wishes, effects);
}

fn front(model: &mut Model, msg: screens::Msg, effects: &mut Vec<Effect>) {
    tell(model, model.screen, msg, effects);
}

fn everyone(model: &mut Model, msg: &screens::Msg, effects: &mut Vec<Effect>) {
    for screen in Screen::ALL {
        tell(model, screen, msg.clone(), effects);
    }
}

fn grant(model: &mut Model, screen: Screen, wishes: Vec<Wish>, effects: &mut Vec<Effect>) {
    for wish in wishes {
        match wish {
            Wish::Do(effect) => effects.push(effect),
            Wish::Open(route) => open(model, route, effects),
            Wish::Back => back(model, effects),
            Wish::Confirm(confirm) => {
                if model.world.setup.read_only {
                    let verb = confirm.verb.to_lowercase();
                    let problem = Problem::new(format!("Read-only: {verb} was not sent"))
                        .hint("Start without --read-only to change things");
                    blame(model, problem);
                } else if model.world.setup.local && !confirm.always {
                    tell(model, screen, screens::Msg::Confirmed(confirm.request), effects);
                } else {
                    model.overlay = Some(Overlay::Confirm(confirm));
                }
            }
            Wish::Pick(pick) => model.overlay = Some(Overlay::Pick(pick)),
            Wish::Say(text) => model.note = Some((text, false)),
            Wish::Blame(problem) => blame(model, problem),
            Wish::Unanswered(problem) => unanswered(model, problem),
            Wish::Answered => answers_again(model),
            Wish::AsOf(date) => {
                model.world.as_of = date;
                model.world.setup.as_of_chosen = true;
                everyone(model, &screens::Msg::Changed, effects);
            }
            Wish::Reload => effects.extend(model.world.load_facilities()),
        }
    }
}

fn blame(model: &mut Model, problem: Problem) {
    model.note = Some((problem.title.clone(), true));
    model.world.blame(problem);
}

/// What fails now and is tried again.
fn unanswered(model: &mut Model, problem: Problem) {
    model.unanswered = Some(problem.title.clone());
    blame(model, problem);
}

/// What the last interruption said is over.
fn answers_again(model: &mut Model) {
    if let Some(title) = model.unanswered.take()
        && model.note.as_ref().is_some_and(|(note, bad)| *bad && *note == title)
    {
        model.note = None;
    }
}

/// Goes to a place and remembers the one that is left.
fn open(model: &mut Model, route: Route, effects: &mut Vec<Effect>) {
    let left = model.front().route();
    if left != route {
        model.back.push(left);
        model.forward.clear();
        if model.back.len() > PLACES {
            model.back.remove(0);
        }
    }
    visit(model, route, effects);
}

fn visit(model: &mut Model, route: Route, effects: &mut Vec<Effect>) {
    model.screen = route.screen;
    model.overlay = None;
    front(model, screens::Msg::Opened(route), effects);
}

fn back(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(route) = model.back.pop() {
        model.forward.push(model.front().route());
        visit(model, route, effects);
    } else if let Some(route) = model.front().parent() {
        visit(model, route, effects);
    }
}

fn forward(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(route) = model.forward.pop() {
        model.back.push(model.front().route());
        visit(model, route, effects);
    }
}

fn replied(model: &mut Model, ticket: Ticket, answer: Result<Reply, Problem>, effects: &mut Vec<Effect>) {
    if answer.is_ok() {
        model.world.refreshed = Some(model.world.now);
    }
    if let Some(screen) = ticket.owner {
        tell(model, screen, screens::Msg::Replied(ticket, answer), effects);
        return;
    }
    let facilities = answer.and_then(|reply| match reply {
        Reply::Facilities(facilities) => Ok(facilities),
        _ => Err(Problem::new("The answer belongs to another question")),
    });
    let failure = facilities.as_ref().err().cloned();
    let failed = model.world.facilities.problem().is_some();
    let findings = facilities.as_ref().map(|found| found.problems.clone()).unwrap_or_default();
    let now = model.world.now;
    if model.world.facilities.accept(ticket, facilities, now) {
        match failure {
            Some(problem) => unanswered(model, problem),
            None if failed => answers_again(model),
            None => {}
        }
        if !findings.is_empty() {
            let note = match findings.len() {
                1 => "One problem in the data".to_string(),
                count => format!("{count} problems in the data"),
            };
            model.note = Some((note, true));
        }
        findings.into_iter().for_each(|problem| model.world.blame(problem));
        everyone(model, &screens::Msg::Changed, effects);
    }
}

fn pressed(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    model.note = None;
    let chord = Chord::of(key);
    let contexts = model.floor();
    let typing = model.typing();
    if typing && model.pending.is_empty() {
        // Printable keys are text; what carries ctrl or alt goes to the keymap; of the other keys only
        // those that the field itself binds are taken from it.
        let modified = !chord.is_printable()
            && chord
                .modifiers
                .intersects(crossterm::event::KeyModifiers::CONTROL | crossterm::event::KeyModifiers::ALT);
        let asked = if modified { &contexts[..] } else { &contexts[..1] };
        match model.world.keymap.find(asked, &[chord]) {
            Found::Action(action) if !chord.is_printable() => return act(model, action, effects),
            _ if modified && model.world.keymap.find(&contexts, &[chord]) == Found::Pending => {}
            _ => {
                return match &mut model.overlay {
                    Some(Overlay::Pick(pick)) => pick.key(key),
                    _ => front(model, screens::Msg::Typed(key), effects),
                };
            }
        }
    }
    model.pending.push(chord);
    match model.world.keymap.find(&contexts, &model.pending) {
        Found::Action(action) | Found::Withheld(action) => {
            model.pending.clear();
            act(model, action, effects);
        }
        Found::Pending => {}
        Found::Nothing => model.pending.clear(),
    }
}

/// An action goes to the overlay, else to the shell, else to the screen in front.
fn act(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Suspend => return effects.push(Effect::Suspend),
        Action::Quit => return effects.push(Effect::Quit),
        _ if model.world.keymap.withholds(action) => {
            let text =
                format!("Read-only: no {}; start without --read-only to change things", action.short());
            model.note = Some((text, false));
            return;
        }
        _ => {}
    }
    if model.overlay.is_some() {
        return act_on_overlay(model, action, effects);
    }
    let screen = match action {
        Action::ShowOverview => Screen::Overview,
        Action::ShowFacilities => Screen::Facilities,
        Action::ShowQueries => Screen::Queries,
        Action::ShowWorkflows => Screen::Workflows,
        Action::ShowActivity => Screen::Activity,
        Action::HistoryBack => return back(model, effects),
        Action::HistoryForward => return forward(model, effects),
        Action::Help => {
            let title = format!("Keys of {}", model.screen.title());
            let help = Help::new(title, &model.world.keymap, &model.contexts());
            model.overlay = Some(Overlay::Help(help));
            return;
        }
        Action::Palette => {
            let pick = palette(&model.world.keymap, &model.contexts());
            model.overlay = Some(Overlay::Pick(pick));
            return;
        }
        Action::Problems => {
            model.overlay = Some(Overlay::Problems(Problems::default()));
            return;
        }
        Action::ToggleMouse => {
            model.world.mouse = !model.world.mouse;
            let whose = if model.world.mouse { "ward" } else { "the terminal: its own selection works" };
            model.note = Some((format!("The mouse belongs to {whose}"), false));
            return effects.push(Effect::Mouse(model.world.mouse));
        }
        Action::ToggleZone => {
            model.world.utc = !model.world.utc;
            model.note = Some((format!("Times in {}", model.world.zone().name()), false));
            return everyone(model, &screens::Msg::Changed, effects);
        }
        Action::NextTheme => {
            model.world.theme = model.world.theme.next();
            model.note = Some((format!("Theme {}", model.world.theme.name), false));
            return;
        }
        other => return front(model, screens::Msg::Did(other), effects),
    };
    if screen != model.screen {
        let route = model.place(screen).route();
        open(model, route, effects);
    }
}

fn act_on_overlay(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    let size = model.world.size;
    let Some(mut overlay) = model.overlay.take() else { return };
    match &mut overlay {
        _ if action == Action::Back => return,
        Overlay::Help(help) => help.act(action, size),
        Overlay::Problems(problems) => problems.act(action, &model.world),
        Overlay::Pick(pick) if action == Action::Accept => {
            let Some(answer) = pick.answer() else {
                model.overlay = Some(overlay);
                return;
            };
            return answered(model, pick, answer, effects);
        }
        Overlay::Pick(pick) => pick.act(action),
        Overlay::Confirm(confirm) => match action {
            Action::Accept => return confirmed(model, confirm.request.clone(), effects),
            Action::Open if confirm.yes => return confirmed(model, confirm.request.clone(), effects),
            Action::Open => return,
            Action::Left => confirm.yes = false,
            Action::Right => confirm.yes = true,
            Action::NextPane => confirm.yes = !confirm.yes,
            _ => {}
        },
    }
    model.overlay = Some(overlay);
}

fn answered(model: &mut Model, pick: &Pick, answer: String, effects: &mut Vec<Effect>) {
    if pick.question == Question::Palette {
        if let Some(action) = Action::named(&answer) {
            act(model, action, effects);
        }
        return;
    }
    front(model, screens::Msg::Answered(pick.question.clone(), answer), effects);
}

fn confirmed(model: &mut Model, request: crate::ui::effect::Request, effects: &mut Vec<Effect>) {
    front(model, screens::Msg::Confirmed(request), effects);
}
