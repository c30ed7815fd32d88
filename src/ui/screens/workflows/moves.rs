//! Moving through an execution: the selection of each view, what is in sight, searching, zooming.

use ratatui::layout::Rect;

use crate::domain::execution::HistoryEvent;
use crate::domain::json;
use crate::ui::action::Action;
use crate::ui::screens::workflows::run::{Drawing, Run, View};
use crate::ui::widgets::graph;
use crate::ui::widgets::graph::plan::Plan;
use crate::ui::world::World;

impl Run {
    /// The plan as it fits: without the ways between rows when the window is low.
    pub fn fitted(&self, area: Rect) -> &Plan {
        if self.plan.rows.len() > usize::from(area.height) { &self.compact } else { &self.plan }
    }

    /// Whether the graph is drawn as a picture in this area, rather than as rows.
    pub fn is_picture(&self, area: Rect) -> bool {
        match self.drawing {
            Drawing::Rows => false,
            Drawing::Picture => !self.drawn.is_empty(),
            Drawing::Fitting => self.drawn.fits(area),
        }
    }

    pub fn turn_drawing(&mut self, world: &World) {
        let picture = self.is_picture(self.main_area(world));
        self.drawing = if picture { Drawing::Rows } else { Drawing::Picture };
        (self.offset, self.across) = (0, 0);
        self.settle(world);
    }

    /// Keeps the selection of the view in front in sight.
    pub fn reveal(&mut self, world: &World) {
        let area = self.main_area(world);
        if self.view == View::Graph && self.is_picture(area) {
            let spot = self.state.as_deref().and_then(|state| self.drawn.spot(state));
            let (width, height) = (usize::from(area.width), usize::from(area.height));
            if let Some(spot) = spot {
                // Some context around the state, where there is room for it.
                let (above, below) = (spot.y.saturating_sub(2), (spot.y + 3).min(self.drawn.height));
                self.offset =
                    graph::offset_for(self.offset, below.saturating_sub(1), self.drawn.height, height);
                self.offset = self.offset.min(above);
                let right = (spot.x + spot.width).saturating_sub(1);
                self.across = graph::offset_for(self.across, right, self.drawn.width, width).min(spot.x);
            }
            return;
        }
        let (at, len, page) = (self.at(area), self.len(area), self.page(area));
        self.offset = match self.view {
            View::Summary => self.offset.min(len.saturating_sub(page.max(1))),
            _ => graph::offset_for(self.offset, at, len, page),
        };
    }

    fn page(&self, area: Rect) -> usize {
        match self.view {
            View::Graph | View::Summary => usize::from(area.height),
            View::Timeline | View::Events => usize::from(area.height.saturating_sub(1)),
        }
    }

    fn len(&self, area: Rect) -> usize {
        match self.view {
            View::Summary => self.story.lines(area.width).len(),
            View::Graph => self.fitted(area).rows.len(),
            View::Timeline => self.timeline.visits().len(),
            View::Events => self.timeline.len(),
        }
    }

    /// The row of the selection in the present view.
    fn at(&self, area: Rect) -> usize {
        match self.view {
            View::Summary => 0,
            View::Graph => {
                self.state.as_deref().and_then(|state| self.fitted(area).row_of(state)).unwrap_or(0)
            }
            View::Timeline => self.visit_index().unwrap_or(0),
            View::Events => self.event.and_then(|id| self.timeline.position(id)).unwrap_or(0),
        }
    }

    /// Moves the selection of the view in front; says whether the action was one that moves.
    pub fn act(&mut self, world: &World, action: Action) -> bool {
        let area = self.main_area(world);
        let step = self.page(area).saturating_sub(1).max(1);
        if self.view == View::Summary {
            return self.scroll(action, self.len(area), step, self.page(area));
        }
        let (place, len) = match self.view {
            View::Graph => {
                let at = self.state.as_deref().and_then(|state| self.plan.place_of(state));
                (at.unwrap_or(0), self.plan.states().count())
            }
            _ => (self.at(area), self.len(area)),
        };
        let last = len.saturating_sub(1);
        let to = match action {
            Action::Up => place.saturating_sub(1),
            Action::Down => (place + 1).min(last),
            Action::PageUp => place.saturating_sub(step),
            Action::PageDown => (place + step).min(last),
            Action::First => 0,
            Action::Last => last,
            _ => return false,
        };
        self.follow = false;
        self.choose(to);
        self.settle(world);
        true
    }

    fn scroll(&mut self, action: Action, len: usize, step: usize, page: usize) -> bool {
        let most = len.saturating_sub(page);
        self.offset = match action {
            Action::Up => self.offset.saturating_sub(1),
            Action::Down => self.offset + 1,
            Action::PageUp => self.offset.saturating_sub(step),
            Action::PageDown => self.offset + step,
            Action::First => 0,
            Action::Last => most,
            _ => return false,
        }
        .min(most);
        true
    }

    fn choose(&mut self, to: usize) {
        match self.view {
            View::Summary => {}
            View::Graph => {
                if let Some(state) = self.plan.states().nth(to) {
                    self.visit = self.beside(state);
                    self.state = Some(state.to_owned());
                }
            }
            View::Timeline => {
                if let Some(visit) = self.timeline.visits().get(to) {
                    self.state = Some(visit.name.clone());
                    self.visit = Some(to);
                    self.stay_in_item();
                }
            }
            View::Events => {
                self.event = self.timeline.nth(to).map(|event| event.id);
                if let Some(visit) = self.event.and_then(|id| self.timeline.owner(id)) {
                    self.state = Some(self.timeline.visits()[visit].name.clone());
                    self.visit = Some(visit);
                    self.stay_in_item();
                }
            }
        }
    }

    /// To another visit of the same state: the passes of a loop, the iterations of a map.
    pub fn turn_visit(&mut self, world: &World, forward: bool) -> bool {
        let Some(visit) = self.visit() else { return false };
        let number = if forward { Some(visit.number + 1) } else { visit.number.checked_sub(1) };
        let next = number.and_then(|number| self.timeline.visits_of(&visit.name).get(number)).copied();
        if next.is_some() {
            self.visit = next;
            self.stay_in_item();
            self.follow = false;
            self.settle(world);
        }
        next.is_some()
    }

    /// Selects what is at a place of the drawn view: column and row of its area.
    pub fn click(&mut self, world: &World, (column, row): (usize, usize)) {
        let area = self.main_area(world);
        let place = |name: &str| self.plan.place_of(name);
        let to = match self.view {
            View::Summary => None,
            View::Graph if self.is_picture(area) => {
                self.drawn.at(column + self.across, row + self.offset).and_then(place)
            }
            View::Graph => {
                let plan = self.fitted(area);
                plan.rows.get(row + self.offset).and_then(|row| row.name()).and_then(place)
            }
            View::Timeline | View::Events => {
                (row + self.offset).checked_sub(1).filter(|row| *row < self.len(area))
            }
        };
        if let Some(to) = to {
            self.follow = false;
            self.choose(to);
            self.settle(world);
        }
    }

    /// To the next event that contains what was searched for.
    pub fn find_event(&mut self, world: &World, forward: bool) -> bool {
        let needle = self.search.text().to_lowercase();
        let count = self.timeline.len();
        if needle.is_empty() || count == 0 {
            return false;
        }
        let from = self.event.and_then(|id| self.timeline.position(id)).unwrap_or(0);
        let hit = |event: &HistoryEvent| {
            event.kind.to_lowercase().contains(&needle)
                || json::contains(&event.details, &needle)
                || self.timeline.line(event).is_some_and(|line| line.to_lowercase().contains(&needle))
        };
        let mut rows = (1..=count)
            .map(|step| if forward { (from + step) % count } else { (from + count - step) % count });
        let found = rows.find(|&row| self.timeline.nth(row).is_some_and(hit));
        let Some(row) = found else { return false };
        self.follow = false;
        self.choose(row);
        self.settle(world);
        true
    }

    /// Zooms and pans the timeline, pans the picture; says whether there was something to move.
    pub fn shift(&mut self, world: &World, action: Action) -> bool {
        let area = self.main_area(world);
        match self.view {
            View::Timeline => {
                let Some(start) = self.timeline.started() else { return false };
                let end = self.timeline.stopped().unwrap_or(world.now);
                let at = self.visit().map(|visit| visit.entered + visit.duration(world.now) / 2);
                self.zoom.act(action, (start, end), at)
            }
            View::Graph if self.is_picture(area) => {
                let step = usize::from(area.width / 2).max(1);
                let most = self.drawn.width.saturating_sub(usize::from(area.width));
                self.across = match action {
                    Action::PanLeft => self.across.saturating_sub(step),
                    Action::PanRight => (self.across + step).min(most),
                    _ => return false,
                };
                true
            }
            _ => false,
        }
    }
}
