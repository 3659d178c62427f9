//! The tokenizer of a pretraining: one token for each atom, bond, branch and ring bond of a SMILES.

use molarena_sdk::{Error, Result, Smiles};
use serde_json::json;
use tokenizers::{Tokenizer, models::TrainerWrapper, models::wordlevel::WordLevelTrainer};

/// Tokens that are no part of a molecule, by their numbers.
pub(super) const SPECIAL: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];
/// Number of the token that fills up.
pub(super) const PADDING: i32 = 1;
/// Number of the token in the place of one that is to be guessed.
pub(super) const MASK: i32 = 4;

/// The pattern of Schwaller et al. 2019 (10.1021/acscentsci.9b00576); what it leaves out is a token for each character.
const PATTERN: &str = r"\[[^\]]+\]|Br|Cl|%[0-9]{2}|[BCNOSPFIbcnosp]|[0-9]|[()\.=#\-+\\/:~@?>*$]";

/// Times that a token must occur to be learned; rarer ones are unknown.
const LEAST: u64 = 10;

/// The tokenizer of molecules.
pub(super) fn tokenizer(smiles: &Smiles<'_>) -> Result<Tokenizer> {
    let internal = |error: tokenizers::Error| Error::internal(format!("tokenizer: {error}"));
    let special: Vec<_> = SPECIAL
        .iter()
        .enumerate()
        .map(|(id, content)| {
            json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true })
        })
        .collect();
    let [start, _, end, unknown, _] = SPECIAL;
    let vocabulary: serde_json::Map<_, _> =
        SPECIAL.iter().enumerate().map(|(id, content)| ((*content).to_owned(), id.into())).collect();
    let part = |token: &str| json!({ "SpecialToken": { "id": token, "type_id": 0 } });
    let molecule = json!({ "Sequence": { "id": "A", "type_id": 0 } });
    let entry = |id: usize| json!({ "id": SPECIAL[id], "ids": [id], "tokens": [SPECIAL[id]] });
    let empty = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": special, "normalizer": null,
        "pre_tokenizer": { "type": "Split", "pattern": { "Regex": PATTERN }, "behavior": "Isolated", "invert": false },
        "post_processor": {
            "type": "TemplateProcessing", "single": [part(start), molecule, part(end)],
            "pair": [part(start), molecule, part(end), { "Sequence": { "id": "B", "type_id": 0 } }, part(end)],
            "special_tokens": { start: entry(0), end: entry(2) },
        },
        "decoder": null,
        "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": unknown },
    });
    let mut tokenizer = Tokenizer::from_bytes(empty.to_string()).map_err(internal)?;
    let tokens = SPECIAL.iter().map(|token| tokenizers::AddedToken::from(*token, true)).collect();
    let trainer = WordLevelTrainer::builder()
        .min_frequency(LEAST)
        .special_tokens(tokens)
        .show_progress(false)
        .build()
        .map_err(|error| internal(error.to_string().into()))?;
    let mut trainer = TrainerWrapper::from(trainer);
    tokenizer.train(&mut trainer, smiles.iter()).map_err(internal)?;
    Ok(tokenizer)
}

#[cfg(test)]
mod tests {
    use molarena_sdk::Smiles;

    use super::*;

    #[test]
    fn smiles_are_cut_into_atoms_bonds_and_brackets() {
        let text = "C[C@@H](Cl)c1cc(Br)[nH]c1/C=C\\C#N%12%12".repeat(10);
        let offsets = [0, text.len() as i64];
        let tokenizer = tokenizer(&Smiles::new(&text, &offsets).unwrap()).unwrap();
        let tokens = |smiles: &str| tokenizer.encode(smiles, true).unwrap().get_tokens().to_vec();
        assert_eq!(tokens("[nH]Clc1Br"), ["<s>", "[nH]", "Cl", "c", "1", "Br", "</s>"]);
        assert_eq!(
            tokens("C[C@@H](C)%12\\#N"),
            ["<s>", "C", "[C@@H]", "(", "C", ")", "%12", "\\", "#", "N", "</s>"]
        );
        assert_eq!(tokens("C[Na+]"), ["<s>", "C", "<unk>", "</s>"]);
        for (id, token) in SPECIAL.iter().enumerate() {
            assert_eq!(tokenizer.token_to_id(token), Some(id as u32));
        }
        // Its file is read as it was.
        let again = Tokenizer::from_bytes(tokenizer.to_string(true).unwrap()).unwrap();
        assert_eq!(again.get_vocab(true), tokenizer.get_vocab(true));
    }
}
