use burn::tensor::TensorData;

use super::*;

/// Fits a line to points: rows are x from 0 to 1, targets are 2 x - 1.
struct Line {
    started: Vec<usize>,
    /// Whether there are validation rows.
    valid: bool,
}

const ROWS: usize = 32;

fn slots() -> Slots {
    let mut slots = Slots::default();
    slots.linear_before_norm("fc1", 1, 4);
    slots.norm("bn1", 4);
    slots.linear("fc2", 4, 1);
    slots
}

impl Line {
    fn output(pass: &mut Pass<'_>, rows: &[usize]) -> Tensor<2> {
        let xs: Vec<f32> = rows.iter().map(|&row| row as f32 / ROWS as f32).collect();
        let input = Tensor::from_data(TensorData::new(xs, [rows.len(), 1]), pass.device());
        let after = crate::After { rectified: true, dropout: 0.1, residual: None };
        let hidden = pass.linear_and_norm("fc1", "bn1", input, after);
        pass.linear("fc2", hidden)
    }

    fn squares(pass: &mut Pass<'_>, rows: &[usize]) -> Tensor<1> {
        let output = Self::output(pass, rows);
        let ys: Vec<f32> = rows.iter().map(|&row| 2.0 * row as f32 / ROWS as f32 - 1.0).collect();
        let targets = Tensor::from_data(TensorData::new(ys, [rows.len(), 1]), pass.device());
        (output - targets).powi_scalar(2).mean()
    }
}

impl Task for Line {
    fn parts(&self) -> Vec<String> {
        vec!["squares".into(), "absent".into()]
    }

    fn rows(&self) -> usize {
        ROWS
    }

    fn start_epoch(&mut self, epoch: usize, _: &mut Random) -> Result<()> {
        self.started.push(epoch);
        Ok(())
    }

    fn loss(
        &mut self,
        pass: &mut Pass<'_>,
        rows: &[usize],
        _: usize,
    ) -> Result<(Tensor<1>, Vec<Option<Tensor<1>>>)> {
        let loss = Self::squares(pass, rows);
        Ok((loss.clone(), vec![Some(loss), None]))
    }

    fn validate(&mut self, parameters: &mut Parameters, _: &Call<'_>) -> Result<Option<f64>> {
        let rows: Vec<usize> = (0..ROWS).collect();
        let loss = Self::squares(&mut Pass::evaluate(parameters), &rows);
        Ok(self.valid.then(|| f64::from(loss.into_scalar::<f32>())))
    }
}

/// Cancels after a number of calls.
struct Impatient(std::sync::atomic::AtomicIsize);

impl molarena_sdk::Hooks for Impatient {
    fn progress(&self, _: f64, _: &str) {}

    fn cancelled(&self) -> bool {
        self.0.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) <= 0
    }
}

fn training() -> Training {
    Training {
        learning_rate: 0.02,
        schedule: Schedule::Cosine,
        weight_decay: 0.0,
        batch_size: 8,
        epochs: 12,
        patience: 0,
    }
}

fn run(training: &Training, call: &Call<'_>, valid: bool) -> Result<(Arrays, Vec<usize>)> {
    let mut task = Line { started: Vec::new(), valid };
    let arrays = train(&mut task, &slots(), training, "line", call)?;
    Ok((arrays, task.started))
}

#[test]
fn a_line_is_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let training = Training { epochs: 60, ..training() };
    run(&training, &Call::new(0, 1).with_folder(folder.path()), true).unwrap();
    let log = fs_err::read_to_string(folder.path().join(LOG)).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[0], "epoch,learning_rate,loss,squares,absent,valid_loss,seconds");
    assert_eq!(lines.len(), 61);
    let column = |line: usize, column: usize| lines[line].split(',').nth(column).unwrap();
    assert_eq!((column(1, 1), column(1, 4)), ("0.02", ""));
    let loss = |line| column(line, 5).parse::<f64>().unwrap();
    assert!(loss(60) < 0.02 && loss(60) < loss(1) / 5.0, "{} {}", loss(1), loss(60));
    assert!(!folder.path().join(CHECKPOINT).exists());
}

#[test]
fn a_training_that_was_cut_off_ends_with_the_same_weights() {
    for device in &crate::devices_found() {
        cut_off(&Call { device, ..Call::new(3, 1) });
    }
}

fn cut_off(call: &Call<'_>) {
    let (whole, started) = run(&training(), call, true).unwrap();
    assert_eq!(started, (0..12).collect::<Vec<_>>());
    let folder = tempfile::tempdir().unwrap();
    // An epoch has four steps: the third call dies in the middle of the fifth epoch.
    for (steps, next) in [(2, 0), (9, 0), (11, 2), (1_000, 4)] {
        let hooks = Impatient(std::sync::atomic::AtomicIsize::new(steps));
        let call = call.with_hooks(&hooks).with_folder(folder.path());
        match run(&training(), &call, true) {
            Ok((arrays, started)) => {
                assert_eq!((started[0], steps), (next, 1_000));
                assert_eq!(arrays, whole);
            }
            Err(error) => assert_eq!(error.message, "cancelled by the arena"),
        }
    }
    assert_ne!(run(&training(), &Call { seed: 4, ..*call }, true).unwrap().0, whole);
}

#[test]
fn the_best_epoch_is_kept_and_patience_ends() {
    // A learning rate at which the loss jumps.
    let training =
        Training { learning_rate: 0.8, schedule: Schedule::Constant, epochs: 40, patience: 3, ..training() };
    let folder = tempfile::tempdir().unwrap();
    let (arrays, _) = run(&training, &Call::new(1, 1).with_folder(folder.path()), true).unwrap();
    let log = fs_err::read_to_string(folder.path().join(LOG)).unwrap();
    let losses: Vec<f64> =
        log.lines().skip(1).map(|line| line.split(',').nth(5).unwrap().parse().unwrap()).collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let place = losses.iter().position(|&loss| loss == best).unwrap();
    assert_eq!(losses.len(), (place + 4).min(40));
    let mut arrays = arrays;
    let device = burn::tensor::Device::flex();
    let mut parameters = Parameters::take(&slots(), &mut arrays, &device).unwrap();
    let rows: Vec<usize> = (0..ROWS).collect();
    let loss = Line::squares(&mut Pass::evaluate(&mut parameters), &rows).into_scalar::<f32>();
    assert!((f64::from(loss) - best).abs() < 1e-6, "{loss} {best}");
}

#[test]
fn a_checkpoint_of_another_training_or_a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let hooks = Impatient(std::sync::atomic::AtomicIsize::new(9));
    let call = Call::new(3, 1).with_hooks(&hooks).with_folder(folder.path());
    run(&training(), &call, false).unwrap_err();
    let call = Call::new(3, 1).with_folder(folder.path());
    let mut task = Line { started: Vec::new(), valid: false };
    let error = train(&mut task, &slots(), &training(), "other", &call).unwrap_err().message;
    assert!(error.contains("checkpoint.safetensors: it is the checkpoint of another training"), "{error}");
    let path = folder.path().join(CHECKPOINT);
    let bytes = fs_err::read(&path).unwrap();
    fs_err::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = run(&training(), &call, false).unwrap_err().message;
    assert!(error.contains("remove the file to train from the start"), "{error}");
}

#[test]
fn a_cosine_ends_near_zero() {
    let rate = |done| Schedule::Cosine.rate(2.0, done);
    assert!((rate(0.0) - 2.0).abs() < 1e-12 && (rate(0.5) - 1.0).abs() < 1e-12 && rate(0.999) < 1e-5);
}

#[test]
fn a_last_row_alone_joins_the_batch_before() {
    let order: Vec<usize> = (0..9).collect();
    let lengths = |size| batches(&order, size).map(<[usize]>::len).collect::<Vec<_>>();
    assert_eq!((lengths(4), lengths(5), lengths(20)), (vec![4, 5], vec![5, 4], vec![9]));
}
