//! Encryption at rest: the key that a state machine or an activity asks for (API reference,
//! EncryptionConfiguration). The setting is kept, checked and shown; the local cloud has no KMS and
//! encrypts nothing.

use serde_json::{Value, json};

use super::super::fault::Fault;
use super::validate;

const OWNED: &str = "AWS_OWNED_KEY";
const CUSTOMER: &str = "CUSTOMER_MANAGED_KMS_KEY";

/// Seconds for which a data key is used again when the configuration does not say.
const REUSE: i64 = 300;
/// The longest name of a key, in characters.
const KEY: usize = 2048;

/// What holds where none is given: a key of AWS's own (API reference, EncryptionConfiguration, `type`).
pub fn default() -> Value {
    json!({"type": OWNED})
}

/// The configuration as it is kept and shown; `None` when none is given.
pub fn configuration(given: &Value) -> Result<Option<Value>, Fault> {
    if given.is_null() {
        return Ok(None);
    }
    let at = "encryptionConfiguration";
    match given["type"].as_str() {
        Some(OWNED) => Ok(Some(default())),
        Some(CUSTOMER) => customer(given).map(Some),
        Some(other) => {
            let rule = format!("Member must satisfy enum value set: [{OWNED}, {CUSTOMER}]");
            Err(validate::constraint(other, &format!("{at}.type"), &rule))
        }
        None => Err(validate::missing(&format!("{at}.type"))),
    }
}

fn customer(given: &Value) -> Result<Value, Fault> {
    let invalid = |why: &str| {
        Err(Fault::client(
            "InvalidEncryptionConfiguration",
            format!("Invalid Encryption Configuration: {why}"),
        ))
    };
    let Some(key) = given["kmsKeyId"].as_str().filter(|key| !key.is_empty()) else {
        return invalid(&format!("kmsKeyId must be specified when type is {CUSTOMER}."));
    };
    if key.chars().count() > KEY {
        let rule = format!("Member must have length less than or equal to {KEY}");
        return Err(validate::constraint(key, "encryptionConfiguration.kmsKeyId", &rule));
    }
    let reuse = match &given["kmsDataKeyReusePeriodSeconds"] {
        Value::Null => REUSE,
        period => period.as_i64().unwrap_or_default(),
    };
    if !(60..=900).contains(&reuse) {
        return invalid("kmsDataKeyReusePeriodSeconds must be between 60 and 900.");
    }
    Ok(json!({"kmsDataKeyReusePeriodSeconds": reuse, "kmsKeyId": key, "type": CUSTOMER}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_the_reference_describes_them() {
        let rows = [
            (json!(null), Ok(None)),
            (json!({"type": "AWS_OWNED_KEY"}), Ok(Some(json!({"type": "AWS_OWNED_KEY"})))),
            (
                json!({"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/k"}),
                Ok(Some(json!({
                    "type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/k", "kmsDataKeyReusePeriodSeconds": 300
                }))),
            ),
            (json!({}), Err("ValidationException")),
            (json!({"type": "MINE"}), Err("ValidationException")),
            (json!({"type": "CUSTOMER_MANAGED_KMS_KEY"}), Err("InvalidEncryptionConfiguration")),
            (
                json!({"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k", "kmsDataKeyReusePeriodSeconds": 59}),
                Err("InvalidEncryptionConfiguration"),
            ),
            (
                json!({"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k", "kmsDataKeyReusePeriodSeconds": 901}),
                Err("InvalidEncryptionConfiguration"),
            ),
        ];
        for (given, expected) in rows {
            let found = configuration(&given).map_err(|fault| fault.code);
            assert_eq!(found, expected.map_err(str::to_owned), "{given}");
        }
    }
}
