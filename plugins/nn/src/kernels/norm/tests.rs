use burn::tensor::Tolerance;

use super::*;
use crate::kernels::testing::{pairs, random, tracked};

#[test]
fn moments_of_large_values_close_together() {
    let rows: Vec<f32> = (0..2_000).map(|row| 1e4 + (row % 5) as f32).collect();
    let moments = Moments::of(&rows, 1);
    assert_eq!((moments.mean[0], moments.variance[0]), (10_002.0, 2.0));
}

#[test]
fn dropout_keeps_its_share() {
    let factors = Dropout::new(0.3, [0x243f_6a88, 0x85a3_08d3]).factors(200_000);
    let dropped = factors.iter().filter(|&&factor| factor == 0.0).count() as f64 / 2e5;
    // The standard deviation of the share is 0.001.
    assert!((dropped - 0.3).abs() < 5e-3, "{dropped}");
    assert!(factors.iter().all(|&factor| factor == 0.0 || (factor - 1.0 / 0.7).abs() < 1e-6));
    // Two layers and two neighbouring positions must share no pattern.
    let other = Dropout::new(0.3, [0x1319_8a2e, 0x0370_7344]).factors(200_000);
    let both = |shift: usize| {
        let pairs = factors.iter().zip(&other[shift..]).take(190_000);
        pairs.filter(|&(one, other)| *one == 0.0 && *other == 0.0).count() as f64 / 190_000.0
    };
    assert!((0..8).all(|shift| (both(shift) - 0.09).abs() < 5e-3), "{:?}", both(0));
}

/// The batch's moments after a step on any device.
fn moments(norm: &BatchNorm) -> Moments {
    let values = |row: &Tensor<2>| row.clone().into_data().try_into_vec().unwrap();
    match (norm.moments.get(), norm.elsewhere.get()) {
        (Some(moments), None) => moments.clone(),
        (None, Some([mean, variance])) => Moments { mean: values(mean), variance: values(variance) },
        both => panic!("not one of the two: {both:?}"),
    }
}

#[test]
fn the_kernel_and_its_gradients_are_those_of_the_tensor_operations() {
    let rows = CHUNK + 77;
    let dropout = Some(Dropout::new(0.5, [3, 4]));
    let cases = [(false, None, false), (true, None, true), (true, dropout, true), (false, dropout, false)];
    for ([here, there], (rectified, dropout, residual)) in
        pairs().into_iter().flat_map(|pair| cases.map(|case| (pair.clone(), case)))
    {
        let norm = || BatchNorm { rectified, dropout, ..BatchNorm::default() };
        let inputs = |device| {
            [(rows, 1), (1, 2), (1, 3), (rows, 4)].map(|(rows, stream)| tracked(rows, 6, stream, device))
        };
        let (one, two) = (inputs(&here), inputs(&there));
        let arguments = |of: &[Tensor<2>; 4]| {
            let [rows, gamma, beta, other] = of.clone();
            (rows * 3.0 + 1.0, [gamma, beta], residual.then_some(other))
        };
        let (fused_norm, plain_norm) = (norm(), norm());
        let (input, affine, other) = arguments(&one);
        let fused = batch_norm(input, affine, other, &fused_norm);
        let (input, affine, other) = arguments(&two);
        let plain = composed(input, affine, other, &plain_norm);
        let tolerance = Tolerance::<f32>::absolute(2e-5);
        fused.clone().into_data().assert_approx_eq(&plain.clone().into_data(), tolerance);
        let [fused_moments, plain_moments] = [&fused_norm, &plain_norm].map(moments);
        for column in 0..6 {
            assert!((fused_moments.mean[column] - plain_moments.mean[column]).abs() < 1e-5);
            assert!((fused_moments.variance[column] - plain_moments.variance[column]).abs() < 1e-4);
        }
        let weights = |device| Tensor::from_data(random(rows, 6, 5), device);
        let fused = (fused * weights(&here)).sum().backward();
        let plain = (plain * weights(&there)).sum().backward();
        for (one, two) in one.iter().zip(&two).take(if residual { 4 } else { 3 }) {
            let (one, two) = (one.grad(&fused).unwrap(), two.grad(&plain).unwrap());
            one.into_data().assert_approx_eq(&two.into_data(), Tolerance::<f32>::absolute(1e-4));
        }
    }
}
