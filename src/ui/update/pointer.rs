//! What a press or a turn of the mouse's wheel does: what floats comes first, then tabs, then the screen.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::{act_on_overlay, front, open};
use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::overlays::Overlay;
use crate::ui::overlays::problems::Problems;
use crate::ui::screens;

pub(super) fn moused(model: &mut Model, mouse: MouseEvent, effects: &mut Vec<Effect>) {
    let at = Position::new(mouse.column, mouse.row);
    let size = model.world.size;
    let wheel = match mouse.kind {
        MouseEventKind::ScrollUp => Some(-3),
        MouseEventKind::ScrollDown => Some(3),
        MouseEventKind::Down(MouseButton::Left) => None,
        _ => return,
    };
    let Some(shell) = areas::shell(size.0, size.1) else { return };
    match (&mut model.overlay, wheel) {
        (Some(Overlay::Help(help)), Some(by)) => help.scroll(by, size),
        (Some(Overlay::Help(help)), None) if help.area(size).contains(at) => {}
        (Some(Overlay::Problems(problems)), Some(by)) => {
            let action = if by < 0 { Action::Up } else { Action::Down };
            problems.act(action, &model.world);
        }
        (Some(Overlay::Problems(_)), None) if Problems::area(&model.world).contains(at) => {}
        (Some(Overlay::Pick(pick)), Some(by)) => pick.act(if by < 0 { Action::Up } else { Action::Down }),
        (Some(Overlay::Pick(pick)), None) if pick.area(size).contains(at) => {
            if pick.click(size, at) {
                act_on_overlay(model, Action::Accept, effects);
            }
        }
        (Some(Overlay::Confirm(confirm)), None) if confirm.area(size).contains(at) => {
            match confirm.button_at(size, at) {
                Some(true) => act_on_overlay(model, Action::Accept, effects),
                Some(false) => model.overlay = None,
                None => {}
            }
        }
        (Some(Overlay::Confirm(_)), _) => {}
        // A click beside what floats closes it.
        (Some(_), None) => model.overlay = None,
        (None, None) if shell.tabs.contains(at) => {
            if let Some(screen) = areas::tab_at(at).filter(|screen| *screen != model.screen) {
                let route = model.place(screen).route();
                open(model, route, effects);
            }
        }
        (None, None) => {
            model.note = None;
            front(model, screens::Msg::Clicked(at), effects);
        }
        (None, Some(by)) => front(model, screens::Msg::Wheeled(at, by), effects),
    }
}
