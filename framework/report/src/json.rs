//! Boards as JSON.

use molarena_record::text::visible_json;

use crate::Boards;

pub(crate) fn render(boards: &Boards) -> String {
    let json = serde_json::to_string_pretty(boards).expect("maps have string keys and numbers are finite");
    visible_json(&json).into_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use crate::{BoardOptions, build};

    #[test]
    fn snapshot() {
        let boards = build(&sample()[7..], BoardOptions { cost: true });
        insta::assert_snapshot!(render(&boards), @r###"
        {
          "schema": "molarena.board/1",
          "boards": [
            {
              "dataset": "biogen3k",
              "simulated": false,
              "own": true,
              "split": "infoalign",
              "split_seed": 3,
              "split_sha256": "bbbbbbbbbbbbbbbb",
              "train": 60,
              "valid": 15,
              "test": 25,
              "data_sha256": "aaaaaaaaaaaaaaaa",
              "task_type": "regression",
              "metric": "mae",
              "tasks": [
                "LOG HLM_CLint (mL/min/kg)",
                "task 2"
              ],
              "undefined_tasks": [],
              "distinction": null,
              "rows": [
                {
                  "method": "morgan-rf",
                  "rank": 1,
                  "seeds": 1,
                  "coverage": 1.0,
                  "mean": 0.471,
                  "std": null,
                  "gt80": null,
                  "gt80_std": null,
                  "gt85": null,
                  "gt85_std": null,
                  "gt90": null,
                  "gt90_std": null,
                  "selected_on": "none",
                  "settings": 0,
                  "per_task": {
                    "LOG HLM_CLint (mL/min/kg)": {
                      "mean": 0.442,
                      "std": null
                    },
                    "task 2": {
                      "mean": 0.5,
                      "std": null
                    }
                  },
                  "failed": {},
                  "failures": [],
                  "wall_s": 246.0,
                  "peak_rss_mb": 1536.0,
                  "confined": true,
                  "shuffled_labels": false,
                  "scoring": "probability"
                },
                {
                  "method": "constant",
                  "rank": 2,
                  "seeds": 1,
                  "coverage": 1.0,
                  "mean": 0.706,
                  "std": null,
                  "gt80": null,
                  "gt80_std": null,
                  "gt85": null,
                  "gt85_std": null,
                  "gt90": null,
                  "gt90_std": null,
                  "selected_on": "none",
                  "settings": 0,
                  "per_task": {
                    "LOG HLM_CLint (mL/min/kg)": {
                      "mean": 0.662,
                      "std": null
                    },
                    "task 2": {
                      "mean": 0.75,
                      "std": null
                    }
                  },
                  "failed": {},
                  "failures": [],
                  "wall_s": 246.0,
                  "peak_rss_mb": 1536.0,
                  "confined": true,
                  "shuffled_labels": false,
                  "scoring": "probability"
                }
              ],
              "notes": []
            }
          ]
        }
        "###);
    }

    #[test]
    fn what_is_written_fits_the_schema_and_reads_back() {
        let validator = jsonschema::validator_for(&crate::board_json_schema()).unwrap();
        for cost in [true, false] {
            let boards = build(&sample(), BoardOptions { cost });
            let value = serde_json::from_str(&render(&boards)).unwrap();
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(errors, [""; 0]);
            let read: crate::Boards = serde_json::from_value(value).unwrap();
            assert_eq!(render(&read), render(&boards));
        }
        assert!(!validator.is_valid(&serde_json::json!({"schema": "molarena.board/2", "boards": []})));
    }

    #[test]
    fn the_keys_that_readers_rely_on() {
        let boards = serde_json::to_value(build(&sample(), BoardOptions::default())).unwrap();
        let board = &boards["boards"][1];
        for key in ["dataset", "split", "task_type", "metric", "rows"] {
            assert!(board.get(key).is_some(), "{key}");
        }
        let keys = [
            "method",
            "seeds",
            "mean",
            "std",
            "gt80",
            "gt85",
            "gt90",
            "per_task",
            "failed",
            "wall_s",
            "peak_rss_mb",
        ];
        for row in board["rows"].as_array().unwrap() {
            for key in keys {
                assert!(row.get(key).is_some(), "{key} of {row}");
            }
        }
    }

    #[test]
    fn without_costs_there_are_no_keys_for_them() {
        let text = render(&build(&sample(), BoardOptions { cost: false }));
        assert!(!text.contains("wall_s") && !text.contains("peak_rss_mb"));
    }
}
