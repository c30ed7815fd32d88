//! Everything the console knows. Equal models draw equal cells.

use ratatui::layout::Rect;

use crate::ui::effect::Effect;
use crate::ui::key_line::KeyLine;
use crate::ui::keymap::{Chord, Context};
use crate::ui::overlays::Overlay;
use crate::ui::route::{Route, Screen};
use crate::ui::screens::{self, Place, activity, facilities, overview, queries, workflows};
use crate::ui::session::Session;
use crate::ui::update::tell;
use crate::ui::world::{Setup, World};

/// The whole state.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub world: World,
    pub screen: Screen,
    pub overview: overview::Model,
    pub facilities: facilities::Model,
    pub queries: queries::Model,
    pub workflows: workflows::Model,
    pub activity: activity::Model,
    pub overlay: Option<Overlay>,
    /// The keys of a sequence that is not complete.
    pub pending: Vec<Chord>,
    /// Places before and after the present one.
    pub back: Vec<Route>,
    pub forward: Vec<Route>,
    /// One line at the bottom, until the next key; whether it tells of a problem.
    pub note: Option<(String, bool)>,
    /// The note that a stream has no answer: the next answer of any takes it away.
    pub unanswered: Option<String>,
    pub key_line: KeyLine,
}

impl Model {
    /// The console before anything arrived, and its first orders. Without a route it starts where the
    /// last session ended.
    pub fn start(
        setup: Setup,
        size: (u16, u16),
        session: Session,
        route: Option<Route>,
    ) -> (Model, Vec<Effect>) {
        let route = route.or_else(|| session.route.clone()).unwrap_or(Route::new(Screen::Overview));
        let mut model = Model {
            world: World::new(setup, size),
            screen: route.screen,
            overview: overview::Model::default(),
            facilities: facilities::Model::default(),
            queries: queries::Model::default(),
            workflows: workflows::Model::default(),
            activity: activity::Model::default(),
            overlay: None,
            pending: Vec::new(),
            back: Vec::new(),
            forward: Vec::new(),
            note: None,
            unanswered: None,
            key_line: KeyLine::default(),
        };
        model.world.session = session;
        let mut effects = Vec::new();
        effects.extend(model.world.load_facilities());
        for screen in Screen::ALL {
            tell(&mut model, screen, screens::Msg::Began, &mut effects);
        }
        tell(&mut model, route.screen, screens::Msg::Opened(route), &mut effects);
        (model, effects)
    }

    pub fn place(&self, screen: Screen) -> &dyn Place {
        match screen {
            Screen::Overview => &self.overview,
            Screen::Facilities => &self.facilities,
            Screen::Queries => &self.queries,
            Screen::Workflows => &self.workflows,
            Screen::Activity => &self.activity,
        }
    }

    /// A screen to change, with the world it lives in.
    pub fn place_mut(&mut self, screen: Screen) -> (&mut dyn Place, &mut World) {
        let place: &mut dyn Place = match screen {
            Screen::Overview => &mut self.overview,
            Screen::Facilities => &mut self.facilities,
            Screen::Queries => &mut self.queries,
            Screen::Workflows => &mut self.workflows,
            Screen::Activity => &mut self.activity,
        };
        (place, &mut self.world)
    }

    /// The screen in front.
    pub fn front(&self) -> &dyn Place {
        self.place(self.screen)
    }

    /// Contexts of the screen in front, innermost first, with `global` last.
    pub fn contexts(&self) -> Vec<Context> {
        let mut contexts = self.front().contexts();
        contexts.push(Context::Global);
        contexts
    }

    /// Contexts of whatever has the floor: the overlay, else the screen.
    pub fn floor(&self) -> Vec<Context> {
        match &self.overlay {
            None => self.contexts(),
            Some(Overlay::Confirm(_)) => vec![Context::Confirm],
            Some(Overlay::Pick(_)) => vec![Context::Field],
            Some(Overlay::Help(_) | Overlay::Problems(_)) => vec![Context::Overlay, Context::Global],
        }
    }

    /// Whether printable keys are text now.
    pub fn typing(&self) -> bool {
        match &self.overlay {
            Some(overlay) => matches!(overlay, Overlay::Pick(_)),
            None => self.front().typing(),
        }
    }

    pub fn window(&self) -> Rect {
        Rect::new(0, 0, self.world.size.0, self.world.size.1)
    }
}
