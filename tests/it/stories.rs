//! Anything may happen, in any order, at any size: nothing panics, and the same story ends the same way.

use chrono::TimeDelta;
use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::style::Modifier;
use ward::domain::problem::Problem;
use ward::ui::effect::{Effect, Reply};
use ward::ui::model::Model;
use ward::ui::msg::{Happening, Msg};
use ward::ui::remote::Ticket;
use ward::ui::route::Screen;
use ward::ui::subs::subs;
use ward::ui::update::update;
use ward::ui::world::Link;

use crate::support::answers::{Answers, execution_arn};
use crate::support::console::{Console, frame, setup};
use crate::support::screen;

/// Something that happens. Numbers choose among what there is at that moment.
#[derive(Clone, Debug)]
enum Step {
    Key(KeyCode, KeyModifiers, KeyEventKind),
    Paste(String),
    Mouse(MouseEventKind, u16, u16),
    Resize(u16, u16),
    /// Milliseconds; backwards when the clock was set.
    Tick(i64),
    /// The answer to one of the orders under way.
    Answer(usize),
    Fail(usize),
    /// An answer of the wrong kind.
    Nonsense(usize),
    Progress(usize, u64, u64),
    /// An answer that was given already, to a ticket that is old.
    Again(usize),
    /// One of the streams that are wanted brings all it has.
    Stream(usize),
    /// It brings a part, from the end to the beginning.
    Backwards(usize, usize),
    StreamEnds(usize, bool),
    Link(bool),
    Other(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => key(),
        1 => any::<String>().prop_map(Step::Paste),
        2 => (mouse(), 0..200_u16, 0..60_u16).prop_map(|(kind, x, y)| Step::Mouse(kind, x, y)),
        2 => size().prop_map(|(width, height)| Step::Resize(width, height)),
        1 => (-5_000..90_000_i64).prop_map(Step::Tick),
        8 => any::<usize>().prop_map(Step::Answer),
        1 => any::<usize>().prop_map(Step::Fail),
        1 => any::<usize>().prop_map(Step::Nonsense),
        1 => (any::<usize>(), any::<u64>(), any::<u64>()).prop_map(|(of, done, total)| Step::Progress(of, done, total)),
        1 => any::<usize>().prop_map(Step::Again),
        3 => any::<usize>().prop_map(Step::Stream),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(of, part)| Step::Backwards(of, part)),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(of, well)| Step::StreamEnds(of, well)),
        1 => any::<bool>().prop_map(Step::Link),
        1 => any::<u8>().prop_map(Step::Other),
    ]
}

/// Keys that mean something somewhere more often than others.
fn key() -> impl Strategy<Value = Step> {
    let letters =
        "12345hjklgGqrsSeyYoufFwaJRXADiInNvVpcxtm/?:!= ".chars().map(KeyCode::Char).collect::<Vec<_>>();
    let named = vec![
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Null,
        KeyCode::F(5),
        KeyCode::Insert,
    ];
    let code = prop_oneof![
        8 => prop::sample::select(letters),
        4 => prop::sample::select(named),
        1 => any::<char>().prop_map(KeyCode::Char),
    ];
    let modifiers = prop_oneof![
        10 => Just(KeyModifiers::NONE),
        1 => Just(KeyModifiers::CONTROL),
        1 => Just(KeyModifiers::ALT),
        1 => Just(KeyModifiers::SHIFT),
    ];
    let kind = prop_oneof![12 => Just(KeyEventKind::Press), 1 => Just(KeyEventKind::Repeat), 1 => Just(KeyEventKind::Release)];
    (code, modifiers, kind).prop_map(|(code, modifiers, kind)| Step::Key(code, modifiers, kind))
}

fn mouse() -> impl Strategy<Value = MouseEventKind> {
    prop::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Right),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
    ])
}

fn size() -> impl Strategy<Value = (u16, u16)> {
    prop_oneof![
        prop::sample::select(vec![
            (0, 0),
            (1, 1),
            (0, 24),
            (80, 0),
            (59, 16),
            (60, 16),
            (80, 24),
            (110, 30),
            (160, 48)
        ]),
        (0..200_u16, 0..60_u16),
    ]
}

/// Places to start from.
fn place() -> impl Strategy<Value = String> {
    let run = |name: &str| format!("workflows/{}", execution_arn(name));
    prop::sample::select(vec![
        "overview".to_owned(),
        "facilities".to_owned(),
        "facilities/FAC004?state:TX".to_owned(),
        "queries".to_owned(),
        "queries/q-0002".to_owned(),
        "queries/q-0003".to_owned(),
        "queries/expiring_within".to_owned(),
        "queries/editor".to_owned(),
        "workflows".to_owned(),
        "workflows/machines".to_owned(),
        "workflows/board".to_owned(),
        run("run-20260101-150405-004"),
        run("run-20251231-210000-118"),
        run("nowhere"),
        "activity".to_owned(),
        "activity/log".to_owned(),
        "activity/notifications".to_owned(),
    ])
}

/// How a story went.
struct Told {
    model: Model,
    effects: Vec<Effect>,
}

/// Tells a story from its beginning. `look` sees every model on the way.
fn tell(place: &str, size: (u16, u16), steps: &[Step], mut look: impl FnMut(&Model)) -> Told {
    let mut console = Console::loading(place, size, setup());
    let mut story = Story { effects: Vec::new(), answered: Vec::new() };
    look(&console.model);
    for step in steps {
        for msg in story.msgs(&mut console, step) {
            let effects = update(&mut console.model, msg);
            story.effects.extend(effects.iter().cloned());
            console.take(effects);
        }
        look(&console.model);
    }
    Told { model: console.model, effects: story.effects }
}

struct Story {
    effects: Vec<Effect>,
    /// Answers that were given.
    answered: Vec<(Ticket, Result<Reply, Problem>)>,
}

impl Story {
    /// The facts that a step comes to.
    fn msgs(&mut self, console: &mut Console, step: &Step) -> Vec<Msg> {
        let world = &console.model.world;
        let wanted: Vec<_> = subs(&console.model).into_iter().collect();
        let nth = |of: usize| wanted.get(of % wanted.len().max(1)).cloned();
        match step {
            Step::Key(code, modifiers, kind) => {
                vec![Msg::Pressed(KeyEvent::new_with_kind(*code, *modifiers, *kind))]
            }
            Step::Paste(text) => vec![Msg::Pasted(text.clone())],
            Step::Mouse(kind, column, row) => {
                let (kind, column, row) = (*kind, *column, *row);
                vec![Msg::Moused(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })]
            }
            Step::Resize(width, height) => vec![Msg::Resized { width: *width, height: *height }],
            Step::Tick(millis) => vec![Msg::Ticked(world.now + TimeDelta::milliseconds(*millis))],
            Step::Answer(of) | Step::Fail(of) | Step::Nonsense(of) => {
                if console.waiting.is_empty() {
                    return Vec::new();
                }
                let (ticket, work) = console.waiting.remove(of % console.waiting.len());
                let answer = match step {
                    Step::Fail(_) => {
                        Err(Problem::new("It failed\u{1b}[2J").detail("why\nnot").hint("r asks again"))
                    }
                    Step::Nonsense(_) => Ok(Reply::Arranged(vec![0, 7, u32::MAX])),
                    _ => console.answer(&work),
                };
                self.answered.push((ticket, answer.clone()));
                vec![Msg::Replied(ticket, answer)]
            }
            Step::Progress(of, done, total) => match console.waiting.get(of % console.waiting.len().max(1)) {
                Some((ticket, _)) => vec![Msg::Progressed(*ticket, *done, *total)],
                None => Vec::new(),
            },
            Step::Again(of) => match self.answered.get(of % self.answered.len().max(1)).cloned() {
                Some((ticket, answer)) => vec![Msg::Replied(ticket, answer)],
                None => {
                    let ticket = Ticket { owner: Some(Screen::Workflows), number: u64::MAX };
                    vec![Msg::Replied(ticket, Ok(Reply::Done))]
                }
            },
            Step::Stream(of) => {
                let brought = nth(*of).map(|sub| console.stream(&sub)).unwrap_or_default();
                brought.into_iter().map(Msg::Happened).collect()
            }
            Step::Backwards(of, part) => {
                let brought = nth(*of).map(|sub| console.stream(&sub)).unwrap_or_default();
                brought.into_iter().rev().map(|one| Msg::Happened(backwards(one, *part))).collect()
            }
            Step::StreamEnds(of, well) => {
                let problem = (!well).then(|| Problem::new("The stream broke"));
                nth(*of).map(|sub| Msg::Happened(Happening::Ended(sub, problem))).into_iter().collect()
            }
            Step::Link(true) => {
                vec![Msg::Connected(Link::Up { account: "123456789012".into(), region: "eu-west-1".into() })]
            }
            Step::Link(false) => vec![Msg::Connected(Link::Down(Problem::new("No connection")))],
            Step::Other(number) => vec![match number % 6 {
                0 => Msg::Lit { dark: true },
                1 => Msg::Lit { dark: false },
                2 => Msg::Focused(false),
                3 => Msg::Resumed,
                4 => Msg::Noted("Copied \u{1b}]52;c;AA\u{7}".into()),
                _ => Msg::Warned(Problem::new("Something \u{202e}odd").hint("nothing")),
            }],
        }
    }
}

/// A part of what came, from its end to its beginning.
fn backwards(happening: Happening, part: usize) -> Happening {
    fn last<T>(mut all: Vec<T>, part: usize) -> Vec<T> {
        let from = part % (all.len() + 1);
        all.drain(..from);
        all.reverse();
        all
    }
    match happening {
        Happening::Events(arn, events) => Happening::Events(arn, last(events, part)),
        Happening::Lines(group, lines) => Happening::Lines(group, last(lines, part)),
        other => other,
    }
}

/// What must hold of every frame: it is as large as the window, and no cell holds what a terminal obeys.
fn check(model: &Model) -> Buffer {
    let drawn = frame(model);
    let (width, height) = model.world.size;
    assert_eq!((drawn.area.width, drawn.area.height), (width, height));
    for cell in drawn.content() {
        assert!(!cell.symbol().chars().any(char::is_control), "{:?} reached a cell", cell.symbol());
    }
    drawn
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn nothing_panics_and_the_same_story_ends_the_same_way(
        place in place(),
        size in size(),
        steps in steps(),
    ) {
        let first = tell(&place, size, &steps, |model| {
            check(model);
        });
        let second = tell(&place, size, &steps, |_| {});
        prop_assert!(first.model == second.model, "two models");
        prop_assert_eq!(&first.effects, &second.effects);
        prop_assert_eq!(screen::picture(&frame(&first.model)), screen::picture(&frame(&second.model)));
    }

    /// However far somebody moves, something is selected where there is something to select.
    #[test]
    fn the_selection_stays_in_sight(
        place in prop::sample::select(vec!["overview", "facilities", "queries", "workflows", "activity/log", "activity/objects"]),
        keys in prop::collection::vec(prop::sample::select(vec!["j", "k", "G", "gg", "<pagedown>", "<pageup>"]), 1..40),
        sizes in prop::collection::vec((60..180_u16, 16..50_u16), 1..4),
    ) {
        let mut console = Console::at(place, (80, 24));
        for (at, keys) in keys.iter().enumerate() {
            console.press(keys);
            if let Some((width, height)) = sizes.get(at / 4) {
                console.tell(Msg::Resized { width: *width, height: *height });
                console.settle();
            }
            // The same character also ends a bar of a chart, but there it is not reversed.
            let selected = |cell: &&ratatui::buffer::Cell| {
                cell.symbol() == "▌" && cell.modifier.contains(Modifier::REVERSED)
            };
            let bars = console.frame().content().iter().filter(selected).count();
            prop_assert_eq!(bars, 1, "{}\n{}", place, console.text());
        }
    }
}

/// Everything fails, in every order of places.
#[test]
fn an_account_that_never_answers_is_no_end() {
    for place in ["overview", "facilities", "queries", "workflows", "activity"] {
        let mut console = Console::with(place, (80, 24), Answers::failing());
        console.press("rr12345<enter>j<esc>!jj<esc>?<esc>");
        check(&console.model);
        assert!(console.done.is_empty());
    }
}
