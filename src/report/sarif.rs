//! Findings for code scanning: SARIF 2.1.0.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::finding::{Finding, Level};

/// Writes findings as a SARIF log, with a line end.
///
/// Shape: one run; a rule for each code that occurs; a result for each finding, with its hint behind the message.
/// `prefix` is the path of the project's folder below the repository's root, with a slash at its end, or empty.
///
/// Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
pub fn sarif(findings: &[Finding], prefix: &str) -> String {
    let codes: BTreeSet<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    let rules: Vec<Value> = codes.into_iter().map(|code| json!({"id": code})).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, prefix)).collect();
    let driver = json!({
        "name": "promote",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    });
    format!("{log:#}\n")
}

fn result(finding: &Finding, prefix: &str) -> Value {
    let text = match &finding.hint {
        Some(hint) => format!("{}\n{hint}", finding.message),
        None => finding.message.clone(),
    };
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "note",
    };
    let mut result = json!({"ruleId": finding.code, "level": level, "message": {"text": text}});
    if let Some(place) = &finding.place {
        let uri = format!("{prefix}{}", place.file).replace('%', "%25").replace(' ', "%20");
        let mut physical = json!({"artifactLocation": {"uri": uri}});
        if let Some(line) = place.line {
            physical["region"] = json!({"startLine": line, "startColumn": place.column.unwrap_or(1)});
        }
        result["locations"] = json!([{"physicalLocation": physical}]);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::Place;

    #[test]
    fn each_finding_is_a_result_with_its_place() {
        let findings = [
            Finding::warning("dead-key", "`x` has no effect")
                .at(Place::at("a b.yml", 3, 5))
                .hint("remove it"),
            Finding::error("bad-yaml", "broken").at(Place::file("c.yml")),
            Finding::notice("other", "nowhere"),
        ];
        let log: Value = serde_json::from_str(&sarif(&findings, "shop/")).unwrap();
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 3);
        assert_eq!(
            run["results"][0],
            json!({
                "ruleId": "dead-key", "level": "warning",
                "message": {"text": "`x` has no effect\nremove it"},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": "shop/a%20b.yml"},
                    "region": {"startLine": 3, "startColumn": 5}
                }}]
            })
        );
        assert!(run["results"][1]["locations"][0]["physicalLocation"].get("region").is_none());
        assert!(run["results"][2].get("locations").is_none());
    }
}
