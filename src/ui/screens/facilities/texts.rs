//! The texts of the list's rows, kept from the first time that each is drawn. A list is drawn with every
//! key and seldom changes, and a facility's fields lie all over the memory.

use std::cell::OnceCell;
use std::fmt::{self, Write};

use crate::domain::facility::Facility;
use crate::domain::text::shown;
use crate::domain::units;
use crate::ui::screens::facilities::Row;
use crate::ui::screens::facilities::listing::COLUMNS;
use crate::ui::widgets::badge::Badge;
use crate::ui::world::World;

/// One for each facility. What is kept says nothing that the facilities do not say.
#[derive(Clone, Debug, Default)]
pub struct Texts(Vec<OnceCell<Box<RowTexts>>>);

/// The texts of all columns, one behind the other.
#[derive(Clone, Debug, Default)]
pub struct RowTexts {
    all: String,
    /// Byte offsets in `all`.
    ends: [usize; COLUMNS.len()],
}

impl PartialEq for Texts {
    fn eq(&self, _: &Texts) -> bool {
        true
    }
}

impl Texts {
    /// Nothing is kept yet, of so many facilities.
    pub fn new(count: usize) -> Texts {
        Texts(vec![OnceCell::new(); count])
    }

    /// The texts of a facility's row; `None` beyond the end.
    pub fn row(&self, index: usize, facility: &Facility, row: &Row, world: &World) -> Option<&RowTexts> {
        let kept = self.0.get(index)?;
        Some(kept.get_or_init(|| Box::new(RowTexts::new(facility, row, world))))
    }
}

impl RowTexts {
    fn new(facility: &Facility, row: &Row, world: &World) -> RowTexts {
        let mut texts = RowTexts::default();
        for column in 0..COLUMNS.len() {
            // A text in memory takes everything.
            let _ = texts.write(facility, row, world, column);
            texts.ends[column] = texts.all.len();
        }
        texts
    }

    fn write(&mut self, facility: &Facility, row: &Row, world: &World, column: usize) -> fmt::Result {
        let accreditation = row.accreditation.and_then(|index| facility.accreditations.get(index));
        let all = &mut self.all;
        match column {
            0 => all.write_str(&shown(&facility.facility_id)),
            1 => all.write_str(&shown(&facility.facility_name)),
            2 => all.write_str(&facility.state.as_deref().map_or("–".into(), shown)),
            3 => match facility.employee_count {
                Some(count) => all.write_str(&units::grouped(i64::try_from(count).unwrap_or(i64::MAX))),
                None => all.write_str("–"),
            },
            4 => write!(all, "{}", facility.services.len()),
            5 => match accreditation.map(|found| (found.expiry, &found.expiry_text)) {
                Some((Some(date), _)) => write!(all, "{date}"),
                Some((None, Some(text))) => all.write_str(&shown(text)),
                _ => all.write_str("–"),
            },
            6 => match row.days {
                Some(days) => write!(all, "{days}"),
                None => all.write_str("–"),
            },
            7 => all.write_str(&accreditation.map_or("–".into(), |found| shown(&found.name))),
            _ => {
                let badge = Badge::tier(row.tier);
                write!(all, "{} {}", badge.glyph(world), badge.word)
            }
        }
    }

    /// The text of a column; empty where there is no such column.
    pub fn column(&self, column: usize) -> &str {
        let start =
            column.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.ends.get(column).and_then(|end| self.all.get(start..*end)).unwrap_or_default()
    }
}
