//! Gradients against finite differences, and values by hand.

use burn::tensor::{Device, Tensor, TensorData};
use molarena_nn::Random;

use super::*;

const ROWS: usize = 5;

fn device() -> Device {
    Device::flex().autodiff()
}

fn rows(values: &[f32], columns: usize) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len() / columns, columns]), &device())
}

/// Random rows whose values are positive and sum to 1.
fn distributions(random: &mut Random, count: usize, columns: usize) -> Vec<f32> {
    let values: Vec<f32> = (0..count * columns).map(|_| 0.1 + random.unit() as f32).collect();
    values.chunks(columns).flat_map(|row| row.iter().map(|value| value / row.iter().sum::<f32>())).collect()
}

/// Asserts that the gradient of `loss` at `values` is `factor` times the slope of central differences of fourth order.
fn assert_slope(
    what: &str,
    values: &[f32],
    columns: usize,
    factor: f32,
    loss: &dyn Fn(Tensor<2>) -> Tensor<1>,
) {
    let point = rows(values, columns).require_grad();
    let gradients = loss(point.clone()).backward();
    let gradient: Vec<f32> = match point.grad(&gradients) {
        Some(gradient) => gradient.into_data().try_into_vec().unwrap(),
        None => vec![0.0; values.len()],
    };
    let at = |place: usize, step: f32| {
        let mut moved = values.to_vec();
        moved[place] += step;
        f64::from(loss(rows(&moved, columns)).into_scalar::<f32>())
    };
    let step = 5e-3;
    for (place, found) in gradient.iter().enumerate() {
        let near = at(place, step) - at(place, -step);
        let far = at(place, 2.0 * step) - at(place, -2.0 * step);
        let slope = (8.0 * near - far) / f64::from(12.0 * step) * f64::from(factor);
        let error = (f64::from(*found) - slope).abs();
        assert!(error < 1e-3 * slope.abs().max(0.1), "{what}[{place}]: {found}, expected {slope}");
    }
}

#[test]
fn gradients_of_cloome_are_the_slopes() {
    let mut random = Random::of(3, 0, 0);
    let [x, y] = [(); 2].map(|()| random.uniform(ROWS * 4, 1.0));
    let inverse = || rows(&[3.0], 1);
    let other = || rows(&y, 4);
    assert_slope("infoloob x", &x, 4, 1.0, &|x| infoloob(x, other(), &inverse()));
    assert_slope("infoloob y", &y, 4, 1.0, &|y| infoloob(rows(&x, 4), y, &inverse()));
    assert_slope("infoloob 1/t", &[3.0], 1, 1.0, &|inverse| infoloob(rows(&x, 4), other(), &inverse));
    assert_slope("cloob x", &x, 4, 1.0, &|x| cloob(&x, &other(), &inverse(), 2.0));
    assert_slope("cloob y", &y, 4, 1.0, &|y| cloob(&rows(&x, 4), &y, &inverse(), 2.0));
    assert_slope("clip x", &x, 4, 1.0, &|x| clip(x, other(), &inverse()));
    assert_slope("clip 1/t", &[3.0], 1, 1.0, &|inverse| clip(rows(&x, 4), other(), &inverse));
    assert_slope("normalised", &x, 4, 1.0, &|x| (normalised(x) * rows(&y, 4)).sum());
}

#[test]
fn gradients_of_infocore_are_the_slopes_and_those_of_weights_have_a_factor() {
    let mut random = Random::of(4, 0, 0);
    let [x, y, queue] = [ROWS, ROWS, 7].map(|count| random.uniform(count * 4, 1.0));
    let [p, q, of_queue, batches] = [ROWS, ROWS, 7, ROWS].map(|count| distributions(&mut random, count, 3));
    for factor in [0.0, 0.25, 1.0] {
        let simclr = |x: Tensor<2>, p: Tensor<2>, y: Tensor<2>, q: Tensor<2>| {
            let anchors =
                Anchors { vectors: x, probabilities: reweighted(&p, factor), batches: rows(&batches, 3) };
            let others = Others { vectors: y, probabilities: reweighted(&q, factor) };
            infocore_simclr(&anchors, &others, 0.5, 2.0).mean()
        };
        let [xs, ys] = [&x, &y].map(|values| rows(values, 4));
        let [ps, qs] = [&p, &q].map(|values| rows(values, 3));
        assert_slope("simclr x", &x, 4, 1.0, &|x| simclr(x, ps.clone(), ys.clone(), qs.clone()));
        assert_slope("simclr y", &y, 4, 1.0, &|y| simclr(xs.clone(), ps.clone(), y, qs.clone()));
        assert_slope("simclr p", &p, 3, factor, &|p| simclr(xs.clone(), p, ys.clone(), qs.clone()));
        assert_slope("simclr q", &q, 3, factor, &|q| simclr(xs.clone(), ps.clone(), ys.clone(), q));
        let moco = |x: Tensor<2>, p: Tensor<2>| {
            let anchors =
                Anchors { vectors: x, probabilities: reweighted(&p, factor), batches: rows(&batches, 3) };
            let keys = Others { vectors: ys.clone(), probabilities: qs.clone() };
            let queue = Others { vectors: rows(&queue, 4), probabilities: rows(&of_queue, 3) };
            infocore_moco(&anchors, &keys, &queue, 0.5, 2.0).mean()
        };
        assert_slope("moco x", &x, 4, 1.0, &|x| moco(x, ps.clone()));
        assert_slope("moco p", &p, 3, factor, &|p| moco(xs.clone(), p));
    }
}

#[test]
fn equal_weights_make_infocore_infonce() {
    let mut random = Random::of(5, 0, 0);
    let [x, y, queue] = [ROWS, ROWS, 7].map(|count| rows(&random.uniform(count * 4, 1.0), 4));
    let even = |count: usize| rows(&vec![0.25; count * 2], 2);
    let batches = rows(&[1.0, 0.0].repeat(ROWS), 2);
    let anchors = Anchors { vectors: x.clone(), probabilities: even(ROWS), batches };
    let [others, queued] = [(&y, ROWS), (&queue, 7)]
        .map(|(vectors, count)| Others { vectors: vectors.clone(), probabilities: even(count) });
    // Each weight is 3 x 0.25 + 0.25 = 1.
    for (weighted, plain) in [
        (infocore_simclr(&anchors, &others, 0.2, 3.0), infonce_simclr(x.clone(), y.clone(), 0.2)),
        (infocore_moco(&anchors, &others, &queued, 0.2, 3.0), infonce_moco(x, y, queue, 0.2)),
    ] {
        let [weighted, plain]: [Vec<f32>; 2] =
            [weighted, plain].map(|tensor| tensor.into_data().try_into_vec().unwrap());
        let close = weighted.iter().zip(&plain).all(|(one, other)| (one - other).abs() < 1e-5);
        assert!(close, "{weighted:?} {plain:?}");
    }
}

#[test]
fn two_rows_by_hand() {
    // Cosines: 1 and 0 with the own partner, 0 and 1 with the other's.
    let x = rows(&[1.0, 0.0, 0.0, 1.0], 2);
    let y = rows(&[1.0, 0.0, 1.0, 0.0], 2);
    let inverse = rows(&[2.0], 1);
    // (-2 + 2) and (0 + 0), times t = 1/2.
    assert_eq!(infoloob(x.clone(), y.clone(), &inverse).into_scalar::<f32>(), 0.0);
    let (high, low) = (2f64.exp(), 1f64);
    let of_x = f64::midpoint((high + high).ln() - 2.0, (low + low).ln());
    let of_y = f64::midpoint((high + low).ln() - 2.0, (high + low).ln());
    let found = f64::from(clip(x.clone(), y.clone(), &inverse).into_scalar::<f32>());
    assert!((found - f64::midpoint(of_x, of_y)).abs() < 1e-6, "{found}");
    // Rows with large logits stay finite.
    let far = infonce_simclr(x * 100.0, y * 100.0, 0.1).mean().into_scalar::<f32>();
    assert!(far.is_finite(), "{far}");
}
