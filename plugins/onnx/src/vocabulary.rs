//! Cuts SMILES into the tokens of a vocabulary.

use std::collections::HashMap;

use molarena_sdk::{Error, Result};

use crate::config::Vocabulary;

/// A vocabulary, ready to cut SMILES.
#[derive(Debug)]
pub struct Tokens {
    numbers: HashMap<String, i64>,
    /// Characters of the longest token.
    longest: usize,
    length: usize,
    padding: i64,
    start: Option<i64>,
    end: Option<i64>,
    unknown: Option<i64>,
    truncate: bool,
}

impl Tokens {
    pub(crate) fn new(vocabulary: &Vocabulary) -> Result<Self> {
        let wrong = |message: String| Error::invalid_config(format!("vocabulary: {message}"));
        let mut numbers = HashMap::new();
        for (number, token) in vocabulary.tokens.iter().enumerate() {
            if token.is_empty() {
                return Err(wrong(format!("token {number} is empty")));
            }
            if numbers.insert(token.clone(), number as i64).is_some() {
                return Err(wrong(format!("`{token}` is there twice")));
            }
        }
        let number = |key: &str, token: &String| {
            let known = numbers.get(token).copied();
            known.ok_or_else(|| wrong(format!("`{key}` is `{token}`, which is none of the tokens")))
        };
        let optional =
            |key: &str, token: &Option<String>| token.as_ref().map(|token| number(key, token)).transpose();
        let (padding, start) =
            (number("padding", &vocabulary.padding)?, optional("start", &vocabulary.start)?);
        let (end, unknown) = (optional("end", &vocabulary.end)?, optional("unknown", &vocabulary.unknown)?);
        let ends = usize::from(start.is_some()) + usize::from(end.is_some());
        if vocabulary.length <= ends {
            return Err(wrong(format!("`length` is {}, must be above {ends}", vocabulary.length)));
        }
        let longest = numbers.keys().map(|token| token.chars().count()).max().unwrap_or(0);
        let (length, truncate) = (vocabulary.length, vocabulary.truncate);
        Ok(Self { numbers, longest, length, padding, start, end, unknown, truncate })
    }

    /// Places of a row.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The numbers of the tokens of a SMILES and what fills the rest of its row; how many tokens there are.
    pub(crate) fn row(&self, smiles: &str) -> Result<(Vec<i64>, usize)> {
        let room = self.length - usize::from(self.start.is_some()) - usize::from(self.end.is_some());
        let mut inner = self.cut(smiles)?;
        if inner.len() > room {
            if !self.truncate {
                return Err(Error::data(format!(
                    "the SMILES `{smiles}` has {} tokens, and there is room for {room}; enlarge `vocabulary.length` or set \
                     `vocabulary.truncate`",
                    inner.len()
                )));
            }
            inner.truncate(room);
        }
        let mut row: Vec<i64> = self.start.into_iter().chain(inner).chain(self.end).collect();
        let count = row.len();
        row.resize(self.length, self.padding);
        Ok((row, count))
    }

    fn cut(&self, smiles: &str) -> Result<Vec<i64>> {
        let ends: Vec<usize> = smiles.char_indices().map(|(at, _)| at).chain([smiles.len()]).collect();
        let (mut numbers, mut at) = (Vec::new(), 0);
        while at + 1 < ends.len() {
            let last = (at + self.longest).min(ends.len() - 1);
            let token = (at + 1..=last)
                .rev()
                .find_map(|end| self.numbers.get(&smiles[ends[at]..ends[end]]).map(|&number| (number, end)));
            let (number, next) = match (token, self.unknown) {
                (Some(found), _) => found,
                (None, Some(unknown)) => (unknown, at + 1),
                (None, None) => {
                    return Err(Error::data(format!(
                        "no token begins with `{}` at character {} of the SMILES `{smiles}`; name a `vocabulary.unknown`",
                        &smiles[ends[at]..ends[at + 1]],
                        at + 1
                    )));
                }
            };
            numbers.push(number);
            at = next;
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let tokens = ["<pad>", "<s>", "</s>", "C", "Cl", "(", ")", "=", "O", "?"].map(str::to_owned);
        Vocabulary {
            tokens: tokens.to_vec(),
            length: 8,
            padding: "<pad>".into(),
            start: Some("<s>".into()),
            end: Some("</s>".into()),
            unknown: None,
            truncate: false,
        }
    }

    #[test]
    fn the_longest_token_wins() {
        let tokens = Tokens::new(&vocabulary()).unwrap();
        assert_eq!(tokens.row("CClC").unwrap(), (vec![1, 3, 4, 3, 2, 0, 0, 0], 5));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name_or_cut() {
        let mut vocabulary = vocabulary();
        let error = Tokens::new(&vocabulary).unwrap().row("CCCCCCC").unwrap_err().to_string();
        assert!(error.contains("`CCCCCCC` has 7 tokens, and there is room for 6"), "{error}");
        let error = Tokens::new(&vocabulary).unwrap().row("CN").unwrap_err().to_string();
        assert!(error.contains("`N` at character 2"), "{error}");
        (vocabulary.truncate, vocabulary.unknown) = (true, Some("?".into()));
        let tokens = Tokens::new(&vocabulary).unwrap();
        assert_eq!(tokens.row("CNCCCCCCC").unwrap(), (vec![1, 3, 9, 3, 3, 3, 3, 2], 8));
    }

    #[test]
    fn faults_of_a_vocabulary_are_named() {
        let with = |change: fn(&mut Vocabulary)| {
            let mut vocabulary = vocabulary();
            change(&mut vocabulary);
            Tokens::new(&vocabulary).unwrap_err().to_string()
        };
        assert!(with(|v| v.tokens.push("C".into())).contains("`C` is there twice"));
        assert!(with(|v| v.padding = "none".into()).contains("`padding` is `none`"));
        assert!(with(|v| v.length = 2).contains("must be above 2"));
    }
}
