//! The console without a terminal and without AWS: a model that is pressed, told and looked at.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;
use ward::domain::execution::HistoryEvent;
use ward::domain::problem::Problem;
use ward::runtime::compute;
use ward::ui::effect::{Effect, Job, Reply, Request};
use ward::ui::keymap::Chord;
use ward::ui::model::Model;
use ward::ui::msg::{Happening, Msg};
use ward::ui::remote::Ticket;
use ward::ui::route::Route;
use ward::ui::session::Session;
use ward::ui::subs::{Sub, subs};
use ward::ui::update::update;
use ward::ui::view::view;
use ward::ui::world::{Link, Setup};

use super::answers::{ACCOUNT, Answers};
use super::screen;
pub use super::setup::setup;

/// Something that was ordered and whose answer is not here yet.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    Ask(Request),
    Compute(Job),
}

/// A console whose world is in the test's hands.
pub struct Console {
    pub model: Model,
    pub answers: Answers,
    /// Ordered and not answered, oldest first.
    pub waiting: Vec<(Ticket, Work)>,
    /// Orders that end here: to the clipboard, to the browser, to the terminal.
    pub done: Vec<Effect>,
    /// Streams that were started and brought what there is.
    heard: BTreeSet<Sub>,
}

impl Console {
    /// Started at a place such as `facilities/FAC004`; everything it asks for has arrived.
    pub fn at(place: &str, size: (u16, u16)) -> Console {
        Console::with(place, size, Answers::sample())
    }

    /// Likewise, with other answers.
    pub fn with(place: &str, size: (u16, u16), answers: Answers) -> Console {
        let mut console = Console::loading(place, size, setup());
        console.answers = answers;
        console.tell(Msg::Connected(Link::Up { account: ACCOUNT.into(), region: "us-east-1".into() }));
        console.settle();
        console
    }

    /// Likewise, with another setup: another target, another theme.
    pub fn of(place: &str, size: (u16, u16), setup: Setup) -> Console {
        let mut console = Console::loading(place, size, setup);
        console.settle();
        console
    }

    /// The first frame: nothing has arrived.
    pub fn loading(place: &str, size: (u16, u16), setup: Setup) -> Console {
        let route = Route::parse(place).expect("a place");
        let (model, effects) = Model::start(setup, size, Session::default(), Some(route));
        let mut console = Console {
            model,
            answers: Answers::sample(),
            waiting: Vec::new(),
            done: Vec::new(),
            heard: BTreeSet::new(),
        };
        console.take(effects);
        console
    }

    /// A fact, and what follows from it at once.
    pub fn tell(&mut self, msg: Msg) {
        let effects = update(&mut self.model, msg);
        self.take(effects);
    }

    /// Orders join those under way.
    pub fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask(ticket, request) => self.waiting.push((ticket, Work::Ask(request))),
                Effect::Compute(ticket, job) => self.waiting.push((ticket, Work::Compute(job))),
                Effect::Forget(ticket) => self.waiting.retain(|(waiting, _)| *waiting != ticket),
                other => self.done.push(other),
            }
        }
    }

    /// What would be answered to one order.
    pub fn answer(&self, work: &Work) -> Result<Reply, Problem> {
        match work {
            Work::Ask(request) => self.answers.answer(request),
            Work::Compute(job) => Ok(compute::compute(job)),
        }
    }

    /// Answers everything and lets the streams bring what they have, until nothing is left.
    pub fn settle(&mut self) {
        for _ in 0..1000 {
            if !self.waiting.is_empty() {
                let (ticket, work) = self.waiting.remove(0);
                let answer = self.answer(&work);
                self.tell(Msg::Replied(ticket, answer));
                continue;
            }
            let wanted = subs(&self.model);
            self.heard.retain(|sub| wanted.contains(sub));
            let Some(sub) = wanted.into_iter().find(|sub| self.heard.insert(sub.clone())) else { return };
            for happening in self.stream(&sub) {
                self.tell(Msg::Happened(happening));
            }
        }
        panic!("the console asks without end");
    }

    /// What a stream brings until it has nothing new.
    pub fn stream(&self, sub: &Sub) -> Vec<Happening> {
        self.answers.stream(sub)
    }

    /// Presses keys written as `jj<enter>f<ctrl-p>`; everything that was asked for arrives after each.
    pub fn press(&mut self, keys: &str) {
        for key in keys_of(keys) {
            self.tell(Msg::Pressed(key));
            self.settle();
        }
    }

    /// Presses keys, and nothing is answered: what was asked for stays to be looked at.
    pub fn hit(&mut self, keys: &str) {
        for key in keys_of(keys) {
            self.tell(Msg::Pressed(key));
        }
    }

    /// What was asked for and is not answered yet, newest last.
    pub fn asked(&self) -> Vec<Request> {
        let asked = self.waiting.iter().filter_map(|(_, work)| match work {
            Work::Ask(request) => Some(request.clone()),
            Work::Compute(_) => None,
        });
        asked.collect()
    }

    /// What comes after the newest event of an execution.
    pub fn next_event(&self, arn: &str, kind: &str, details: Value) -> HistoryEvent {
        let last = self.answers.histories[arn].last().expect("a history");
        HistoryEvent { id: last.id + 1, previous: last.id, at: last.at, kind: kind.into(), details }
    }

    /// The frame of this moment.
    pub fn frame(&self) -> Buffer {
        frame(&self.model)
    }

    pub fn text(&self) -> String {
        screen::rows(&self.frame()).join("\n")
    }

    pub fn picture(&self) -> String {
        screen::picture(&self.frame())
    }
}

/// A model drawn at its size.
pub fn frame(model: &Model) -> Buffer {
    let (width, height) = model.world.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    view(model, &mut buffer);
    buffer
}

/// `jj<enter>f<ctrl-p>` as key presses; a `<` that begins no key is itself.
pub fn keys_of(text: &str) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (chord, after) = match named.and_then(|(name, after)| Some((Chord::parse(name)?, after))) {
            Some(found) => found,
            None => (
                Chord { code: KeyCode::Char(first), modifiers: KeyModifiers::NONE },
                &rest[first.len_utf8()..],
            ),
        };
        keys.push(KeyEvent::new(chord.code, chord.modifiers));
        rest = after;
    }
    keys
}
