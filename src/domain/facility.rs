//! A facility and its accreditations: what is known of it, and how it is written.
//!
//! Reading a record, its variants and what may be wrong with it is [`super::record`].

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::record::{self, Finding};

/// One accreditation of a facility.
#[derive(Clone, Debug, PartialEq)]
pub struct Accreditation {
    /// The accreditor: `name`, or `accreditation_body` in records of the wild.
    pub name: String,
    /// `None` when the record has no date or an unreadable one: unknown, never clear.
    pub expiry: Option<NaiveDate>,
    /// The date as the record spells it, when it spells one.
    pub expiry_text: Option<String>,
    /// Every other field, kept when the record is rewritten.
    pub other: Map<String, Value>,
}

/// One facility record.
#[derive(Clone, Debug, PartialEq)]
pub struct Facility {
    pub facility_id: String,
    pub facility_name: String,
    pub employee_count: Option<u64>,
    pub services: Vec<String>,
    pub accreditations: Vec<Accreditation>,
    /// Two-letter state; from `state`, or `location.state`.
    pub state: Option<String>,
    /// From `city`, or `location.city`.
    pub city: Option<String>,
    /// Every other field, kept when the record is rewritten: `location`, `labs`, `synthesised`, … and
    /// fields whose type is not the expected one.
    pub other: Map<String, Value>,
}

/// Reads one JSON record, compact or pretty, in any of its variants. An error only when no facility can
/// be made of it: not UTF-8, not JSON, not an object, no `facility_id`. Anything less, such as an
/// unreadable date, leaves its field unknown; [`record::examine`] names all of it.
pub fn read(bytes: &[u8]) -> Result<Facility, Finding> {
    record::examine(bytes, (1, 1)).facility
}

impl Accreditation {
    pub fn new(name: impl Into<String>, expiry: Option<NaiveDate>) -> Self {
        let expiry_text = expiry.map(|date| date.to_string());
        Accreditation { name: name.into(), expiry, expiry_text, other: Map::new() }
    }

    /// `accreditation_id`, where the record has one.
    pub fn id(&self) -> Option<&str> {
        self.other.get("accreditation_id").and_then(Value::as_str)
    }

    /// The canonical object: `name`, `expiry_date` (an ISO date, or the unreadable text as it was), then
    /// every other field in its order.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        if !self.other.contains_key("name") {
            map.insert("name".into(), self.name.clone().into());
        }
        if let Some(date) = self.expiry {
            map.insert("expiry_date".into(), date.to_string().into());
        } else if let Some(text) = &self.expiry_text {
            map.insert("expiry_date".into(), text.clone().into());
        }
        merge(&mut map, &self.other);
        Value::Object(map)
    }
}

impl Facility {
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Facility {
            facility_id: id.into(),
            facility_name: name.into(),
            employee_count: None,
            services: Vec::new(),
            accreditations: Vec::new(),
            state: None,
            city: None,
            other: Map::new(),
        }
    }

    /// The names in `labs`, which records of the wild have as texts or as objects with a name.
    pub fn labs<'a>(&'a self) -> Vec<&'a str> {
        let labs = self.other.get("labs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let name = |lab: &'a Value| match lab {
            Value::String(name) => Some(name.as_str()),
            Value::Object(map) => ["name", "lab_name"].iter().find_map(|key| map.get(*key)?.as_str()),
            _ => None,
        };
        labs.iter().filter_map(name).collect()
    }

    /// The canonical object: the seven canonical fields in their order, `city` unless `location` says
    /// it, then every other field in its order. A field that could not be read stays as it was.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| {
            if !self.other.contains_key(key) {
                map.insert(key.into(), value);
            }
        };
        put("facility_id", self.facility_id.clone().into());
        put("facility_name", self.facility_name.clone().into());
        if let Some(count) = self.employee_count {
            put("employee_count", count.into());
        }
        put("services", self.services.clone().into());
        put("accreditations", self.accreditations.iter().map(Accreditation::to_value).collect());
        if let Some(state) = &self.state {
            put("state", state.clone().into());
        }
        let located = self.other.get("location").and_then(|location| location.get("city"));
        if let Some(city) = &self.city
            && located.and_then(Value::as_str) != Some(city)
        {
            put("city", city.clone().into());
        }
        merge(&mut map, &self.other);
        Value::Object(map)
    }

    /// The canonical record on one line, without a newline at its end: what is uploaded to `raw/`.
    pub fn to_line(&self) -> String {
        self.to_value().to_string()
    }
}

fn merge(map: &mut Map<String, Value>, other: &Map<String, Value>) {
    for (key, value) in other {
        map.insert(key.clone(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANONICAL: &str = r#"{"facility_id":"FAC001","facility_name":"General","employee_count":357,"services":["ICU"],"accreditations":[{"name":"CAP","expiry_date":"2027-02-04"}],"state":"AZ"}"#;

    #[test]
    fn a_canonical_record_is_written_as_it_was_read() {
        assert_eq!(read(CANONICAL.as_bytes()).unwrap().to_line(), CANONICAL);
    }

    #[test]
    fn variants_become_canonical_and_unknown_fields_stay_in_order() {
        let wild = br#"{
            "zeta": 1,
            "facility_id": "FAC9", "facility_name": "Wild",
            "location": {"address": "1 Main St", "city": "Austin", "state": "TX", "zip": "73301"},
            "employee_count": 12, "services": [],
            "labs": [{"lab_name": "Blood"}, "Tissue"],
            "accreditations": [{"accreditation_body": "CAP", "accreditation_id": "C-1",
                                "valid_until": "2026-02-17T08:30:00Z"}],
            "alpha": {"b": null}
        }"#;
        let facility = read(wild).unwrap();
        assert_eq!((facility.state.as_deref(), facility.city.as_deref()), (Some("TX"), Some("Austin")));
        assert_eq!(facility.labs(), ["Blood", "Tissue"]);
        assert_eq!(facility.accreditations[0].id(), Some("C-1"));
        let line = concat!(
            r#"{"facility_id":"FAC9","facility_name":"Wild","employee_count":12,"services":[],"#,
            r#""accreditations":[{"name":"CAP","expiry_date":"2026-02-17","accreditation_id":"C-1"}],"state":"TX","#,
            r#""zeta":1,"location":{"address":"1 Main St","city":"Austin","state":"TX","zip":"73301"},"#,
            r#""labs":[{"lab_name":"Blood"},"Tissue"],"alpha":{"b":null}}"#
        );
        assert_eq!(facility.to_line(), line);
        assert_eq!(read(line.as_bytes()).unwrap().to_line(), line, "writing is idempotent");
    }

    #[test]
    fn what_could_not_be_read_is_written_back_as_it_was() {
        let odd = r#"{"facility_id":"F","facility_name":"F","services":["ICU",5],"accreditations":[{"name":"CAP","expiry_date":"2026-02-30"},{"name":"DNV","expiry_date":null}],"state":"AZ","employee_count":-3}"#;
        let facility = read(odd.as_bytes()).unwrap();
        assert_eq!(facility.employee_count, None);
        assert_eq!(facility.services, ["ICU"]);
        assert!(facility.accreditations.iter().all(|a| a.expiry.is_none()));
        let back: Value = serde_json::from_str(&facility.to_line()).unwrap();
        assert_eq!(back, serde_json::from_str::<Value>(odd).unwrap());
    }
}
