use molarena_sdk::{Bits, Call, Component, Corpus, Decoder, Dense, Encoder, Inputs, NodeKind, Profiles};

use super::*;

/// Three molecules (bits 0b0011, 0b0111, 0b1000) and profiles 3 to 6: two of molecule 0, one of molecule 2, and one
/// without a molecule.
const WORDS: [u64; 3] = [0b0011, 0b0111, 0b1000];
const VALUES: [f32; 8] = [0.0, 1.0, 0.5, f32::NAN, 1.0, 0.0, 9.0, 9.0];

fn corpus(values: Dense<'_>) -> Corpus<'_> {
    Corpus {
        node_kinds: &[0, 0, 0, 3, 3, 3, 3],
        molecules: Inputs::from_bits(Bits::new(&WORDS, 3, 4).unwrap()),
        molecule_nodes: &[0, 1, 2],
        spaces: vec![Profiles {
            space: "e",
            kind: NodeKind::Expression,
            nodes: &[3, 4, 5, 6],
            values,
            batches: None,
            cell_counts: None,
        }],
        edge_sources: &[0, 0, 2],
        edge_targets: &[3, 4, 5],
        edge_weights: &[1.0; 3],
    }
}

fn pair(k: usize) -> (ProfileEncoder, ProfileDecoder) {
    let mut encoder = ProfileEncoder::new(ProfileEncoderConfig {}).unwrap();
    encoder.fit(&corpus(Dense::new(&VALUES, 4, 2).unwrap()), &Call::new(0, 1)).unwrap();
    let mut decoder = ProfileDecoder::new(ProfileDecoderConfig { k }).unwrap();
    decoder.load(&encoder.save().unwrap()).unwrap();
    (encoder, decoder)
}

#[test]
fn profiles_are_those_of_the_neighbours_by_hand() {
    let (mut encoder, mut decoder) = pair(2);
    let call = Call::new(0, 1);
    assert_eq!((encoder.width(), decoder.columns("e").unwrap()), (4, 2));
    // Bits 0b0001: similarity 1/2 to molecule 0, whose mean is (0.25, 1), and 0 to molecule 2.
    // Bits 0b1011: 2/3 to molecule 0 and 1/3 to molecule 2, whose profile is (1, 0).
    let queries = [0b0001u64, 0b1011];
    let z = encoder.encode(&Inputs::from_bits(Bits::new(&queries, 2, 4).unwrap()), &call).unwrap();
    assert_eq!(z.values, [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
    let profiles = decoder.decode(&z.view(), "e", &call).unwrap();
    assert_eq!(profiles.values[..2], [0.25, 1.0]);
    let expected = [(0.25 * 2.0 + 1.0) / 3.0, 2.0 / 3.0];
    assert!(profiles.values[2..].iter().zip(expected).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-6));
    // Squared distances of the first: 0 to (0.25, 1); of (0.25, NaN) only the first column counts; of none, 1.
    let candidates = Dense::new(&[0.25, 1.0, 0.75, f32::NAN, f32::NAN, f32::NAN], 3, 2).unwrap();
    let scores = decoder.score(&z.view(), &candidates, "e", &call).unwrap();
    assert_eq!(scores.values[..3], [0.0, -0.25, -1.0]);
}

#[test]
fn without_a_similar_molecule_neighbours_weigh_alike() {
    let (_, mut decoder) = pair(5);
    let z = Dense::new(&[0.0; 4], 1, 4).unwrap();
    let profiles = decoder.decode(&z, "e", &Call::new(0, 1)).unwrap();
    assert_eq!(profiles.values, [0.625, 0.5]);
}

#[test]
fn what_cannot_be_is_refused() {
    let (mut encoder, mut decoder) = pair(1);
    let call = Call::new(0, 1);
    let message = decoder.columns("m").unwrap_err().message;
    assert_eq!(message, "no feature space `m`; there are: [e]");
    let wide = [0.0; 5];
    let message = decoder.decode(&Dense::new(&wide, 1, 5).unwrap(), "e", &call).unwrap_err().message;
    assert!(message.ends_with("4 bits, these vectors have width 5"), "{message}");
    let words = [0u64];
    let other = Inputs::from_bits(Bits::new(&words, 1, 64).unwrap());
    assert!(encoder.encode(&other, &call).unwrap_err().message.contains("of 4 bits"));
    let untrained = ProfileEncoder::new(ProfileEncoderConfig {}).unwrap();
    assert!(untrained.save().unwrap_err().message.contains("name a corpus"));
    assert!(ProfileDecoder::new(ProfileDecoderConfig { k: 0 }).is_err());
}
