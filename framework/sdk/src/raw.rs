//! Converts the safe views to the ABI's structs and back.
#![expect(unsafe_code, reason = "turns the ABI's pointers into slices and back")]

use std::{ffi::c_void, path::Path, ptr, slice};

use molarena_abi as abi;

use crate::{
    Bits, Call, Corpus, Dense, Error, Graphs, Hooks, Inputs, Labels, NodeKind, Profiles, Result, Smiles,
    TaskKind,
};

/// Size of an ABI struct in bytes, for its `struct_size`.
pub fn size_of<T>() -> u32 {
    u32::try_from(std::mem::size_of::<T>()).expect("an ABI struct is small")
}

/// Borrows text as an ABI string.
pub fn text(text: &str) -> abi::MolarenaStr {
    abi::MolarenaStr { data: text.as_ptr(), len: text.len() as u64 }
}

/// The text behind an ABI string.
///
/// # Safety
///
/// `text.data` is null with `len` 0, or points to `len` bytes that live for `'a`.
pub unsafe fn str_from<'a>(text: abi::MolarenaStr) -> Result<&'a str> {
    // SAFETY: the caller promises it.
    let bytes = unsafe { slice_from("text", text.data, text.len as usize)? };
    std::str::from_utf8(bytes).map_err(|_| Error::invalid_argument("text is not UTF-8"))
}

/// The bytes behind a pointer of the ABI.
///
/// # Safety
///
/// `data` is null with `len` 0, or points to `len` bytes that live for `'a`.
pub(crate) unsafe fn bytes_from<'a>(data: *const u8, len: u64) -> Result<&'a [u8]> {
    // SAFETY: the caller promises it.
    unsafe { slice_from("state", data, len as usize) }
}

/// # Safety
///
/// `data` is null with `len` 0, or points to `len` values that live for `'a`.
unsafe fn slice_from<'a, T>(what: &str, data: *const T, len: usize) -> Result<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() || !data.is_aligned() {
        return Err(Error::invalid_argument(format!("{what}: null or misaligned pointer")));
    }
    if len.checked_mul(std::mem::size_of::<T>()).is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        return Err(Error::invalid_argument(format!("{what}: a length of {len} is impossible")));
    }
    // SAFETY: not null, aligned, of a possible size; the caller promises the rest.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}

fn product(what: &str, rows: usize, columns: u64) -> Result<usize> {
    usize::try_from(columns)
        .ok()
        .and_then(|columns| rows.checked_mul(columns))
        .ok_or_else(|| Error::invalid_argument(format!("{what}: {rows} x {columns} values are impossible")))
}

impl<'a> Inputs<'a> {
    /// Borrows the inputs as the ABI's struct, which is valid as long as the borrowed data.
    pub fn to_abi(self) -> abi::MolarenaInputs {
        let smiles = self.smiles.map(|smiles| smiles.parts());
        abi::MolarenaInputs {
            struct_size: size_of::<abi::MolarenaInputs>(),
            reserved: 0,
            rows: self.rows as u64,
            smiles: abi::MolarenaSmiles {
                bytes: smiles.map_or(ptr::null(), |(text, _)| text.as_ptr()),
                offsets: smiles.map_or(ptr::null(), |(_, offsets)| offsets.as_ptr()),
            },
            bits: abi::MolarenaBits {
                words: self.bits.map_or(ptr::null(), |bits| bits.words.as_ptr()),
                n_bits: self.bits.map_or(0, |bits| bits.n_bits as u64),
                words_per_row: self.bits.map_or(0, |bits| bits.words_per_row as u64),
            },
            dense: self.dense.map_or(NO_DENSE, super::view::Dense::to_abi),
            graphs: self.graphs.map_or(NO_GRAPHS, super::view::Graphs::to_abi),
        }
    }

    /// # Safety
    ///
    /// `raw` is null or follows the ABI's rules for [`abi::MolarenaInputs`], with data that live for `'a`.
    pub(crate) unsafe fn from_abi(raw: *const abi::MolarenaInputs) -> Result<Self> {
        // SAFETY: the caller promises it.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return Err(Error::invalid_argument("inputs: null pointer"));
        };
        let rows = raw.rows as usize;
        let mut inputs = Self { rows, ..Self::default() };
        if !raw.smiles.offsets.is_null() {
            // SAFETY: the caller promises it.
            let offsets = unsafe { slice_from("smiles", raw.smiles.offsets, rows + 1)? };
            let len = usize::try_from(offsets[rows]).unwrap_or(0);
            // SAFETY: the caller promises it.
            let bytes = unsafe { slice_from("smiles", raw.smiles.bytes, len)? };
            let text =
                std::str::from_utf8(bytes).map_err(|_| Error::invalid_argument("smiles are not UTF-8"))?;
            inputs.smiles = Some(Smiles::new(text, offsets)?);
        }
        if !raw.bits.words.is_null() {
            let len = product("bits", rows, raw.bits.words_per_row)?;
            // SAFETY: the caller promises it.
            let words = unsafe { slice_from("bits", raw.bits.words, len)? };
            inputs.bits = Some(Bits::new(words, rows, raw.bits.n_bits as usize)?);
        }
        if !raw.dense.values.is_null() {
            // SAFETY: the caller promises it.
            inputs.dense = Some(unsafe { Dense::from_abi(&raw.dense, rows)? });
        }
        if !raw.graphs.atom_offsets.is_null() {
            // SAFETY: the caller promises it.
            inputs.graphs = Some(unsafe { Graphs::from_abi(&raw.graphs, rows)? });
        }
        Ok(inputs)
    }
}

const NO_DENSE: abi::MolarenaDense = abi::MolarenaDense { values: ptr::null(), columns: 0 };
const NO_GRAPHS: abi::MolarenaGraphs = abi::MolarenaGraphs {
    atom_offsets: ptr::null(),
    bond_offsets: ptr::null(),
    atom_features: ptr::null(),
    bond_index: ptr::null(),
    bond_features: ptr::null(),
};

impl<'a> Dense<'a> {
    /// Borrows the matrix as the ABI's struct, which is valid as long as the borrowed data.
    pub fn to_abi(self) -> abi::MolarenaDense {
        abi::MolarenaDense { values: self.values.as_ptr(), columns: self.columns as u64 }
    }

    /// # Safety
    ///
    /// `raw.values` points to `rows * columns` values that live for `'a`.
    pub(crate) unsafe fn from_abi(raw: &abi::MolarenaDense, rows: usize) -> Result<Self> {
        let len = product("dense", rows, raw.columns)?;
        // SAFETY: the caller promises it.
        let values = unsafe { slice_from("dense", raw.values, len)? };
        Self::new(values, rows, raw.columns as usize)
    }
}

impl<'a> Graphs<'a> {
    fn to_abi(self) -> abi::MolarenaGraphs {
        abi::MolarenaGraphs {
            atom_offsets: self.atom_offsets.as_ptr(),
            bond_offsets: self.bond_offsets.as_ptr(),
            atom_features: self.atom_features.as_ptr().cast(),
            bond_index: self.bonds.as_ptr().cast(),
            bond_features: self.bond_features.as_ptr().cast(),
        }
    }

    /// # Safety
    ///
    /// `raw` follows the ABI's rules for [`abi::MolarenaGraphs`], with data that live for `'a`.
    unsafe fn from_abi(raw: &abi::MolarenaGraphs, rows: usize) -> Result<Self> {
        // SAFETY: the caller promises it; `[i8; 9]` has the layout of nine i8.
        let atom_offsets = unsafe { slice_from("graphs", raw.atom_offsets, rows + 1)? };
        // SAFETY: the caller promises it.
        let bond_offsets = unsafe { slice_from("graphs", raw.bond_offsets, rows + 1)? };
        let atoms = usize::try_from(atom_offsets[rows]).unwrap_or(0);
        let bonds = usize::try_from(bond_offsets[rows]).unwrap_or(0);
        // SAFETY: the caller promises it.
        let atom_features = unsafe { slice_from("graphs", raw.atom_features.cast(), atoms)? };
        // SAFETY: the caller promises it.
        let bond_index = unsafe { slice_from("graphs", raw.bond_index.cast(), bonds)? };
        // SAFETY: the caller promises it.
        let bond_features = unsafe { slice_from("graphs", raw.bond_features.cast(), bonds)? };
        Self::new(atom_offsets, bond_offsets, atom_features, bond_index, bond_features)
    }
}

impl<'a> Labels<'a> {
    /// Borrows the labels as the ABI's struct, which is valid as long as the borrowed data.
    pub fn to_abi(self) -> abi::MolarenaLabels {
        abi::MolarenaLabels {
            struct_size: size_of::<abi::MolarenaLabels>(),
            task_kind: match self.kind {
                TaskKind::Classification => abi::MOLARENA_TASK_CLASSIFICATION,
                TaskKind::Regression => abi::MOLARENA_TASK_REGRESSION,
            },
            rows: self.rows as u64,
            tasks: self.tasks as u64,
            values: self.values.as_ptr(),
            valid: self.valid.as_ptr(),
        }
    }

    /// # Safety
    ///
    /// `raw` is null or follows the ABI's rules for [`abi::MolarenaLabels`], with data that live for `'a`.
    pub(crate) unsafe fn from_abi(raw: *const abi::MolarenaLabels) -> Result<Self> {
        // SAFETY: the caller promises it.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return Err(Error::invalid_argument("labels: null pointer"));
        };
        let kind = match raw.task_kind {
            abi::MOLARENA_TASK_CLASSIFICATION => TaskKind::Classification,
            abi::MOLARENA_TASK_REGRESSION => TaskKind::Regression,
            other => return Err(Error::invalid_argument(format!("labels: unknown task kind {other}"))),
        };
        let rows = raw.rows as usize;
        let len = product("labels", rows, raw.tasks)?;
        // SAFETY: the caller promises it.
        let values = unsafe { slice_from("labels", raw.values, len)? };
        // SAFETY: the caller promises it.
        let valid = unsafe { slice_from("labels", raw.valid, len.div_ceil(8))? };
        Self::new(kind, rows, raw.tasks as usize, values, valid)
    }
}

impl<'a> Corpus<'a> {
    /// # Safety
    ///
    /// `raw` is null or follows the ABI's rules for [`abi::MolarenaCorpus`], with data that live for `'a`.
    pub(crate) unsafe fn from_abi(raw: *const abi::MolarenaCorpus) -> Result<Self> {
        // SAFETY: the caller promises it.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return Err(Error::invalid_argument("corpus: null pointer"));
        };
        // SAFETY: the caller promises it.
        let molecules = unsafe { Inputs::from_abi(raw.molecules)? };
        let edges = raw.edges as usize;
        // SAFETY: the caller promises it.
        let spaces = unsafe { slice_from("corpus spaces", raw.spaces, raw.space_count as usize)? };
        Ok(Self {
            // SAFETY: the caller promises it.
            node_kinds: unsafe { slice_from("corpus nodes", raw.node_kinds, raw.nodes as usize)? },
            molecules,
            // SAFETY: the caller promises it.
            molecule_nodes: unsafe { slice_from("corpus molecules", raw.molecule_nodes, molecules.rows)? },
            spaces: spaces
                .iter()
                // SAFETY: the caller promises it.
                .map(|&space| unsafe { Profiles::from_abi(space) })
                .collect::<Result<Vec<_>>>()?,
            // SAFETY: the caller promises it.
            edge_sources: unsafe { slice_from("corpus edges", raw.edge_sources, edges)? },
            // SAFETY: the caller promises it.
            edge_targets: unsafe { slice_from("corpus edges", raw.edge_targets, edges)? },
            // SAFETY: the caller promises it.
            edge_weights: unsafe { slice_from("corpus edges", raw.edge_weights, edges)? },
        })
    }

    /// Calls `use_it` with the corpus as the ABI's struct.
    pub fn with_abi<T>(&self, use_it: impl FnOnce(&abi::MolarenaCorpus) -> T) -> T {
        let molecules = self.molecules.to_abi();
        let spaces: Vec<abi::MolarenaProfiles> = self.spaces.iter().map(|space| space.to_abi()).collect();
        let pointers: Vec<*const abi::MolarenaProfiles> = spaces.iter().map(ptr::from_ref).collect();
        use_it(&abi::MolarenaCorpus {
            struct_size: size_of::<abi::MolarenaCorpus>(),
            reserved: 0,
            nodes: self.node_kinds.len() as u64,
            node_kinds: self.node_kinds.as_ptr(),
            molecules: &raw const molecules,
            molecule_nodes: self.molecule_nodes.as_ptr(),
            space_count: pointers.len() as u64,
            spaces: pointers.as_ptr(),
            edges: self.edge_sources.len() as u64,
            edge_sources: self.edge_sources.as_ptr(),
            edge_targets: self.edge_targets.as_ptr(),
            edge_weights: self.edge_weights.as_ptr(),
        })
    }
}

impl<'a> Profiles<'a> {
    fn to_abi(self) -> abi::MolarenaProfiles {
        abi::MolarenaProfiles {
            struct_size: size_of::<abi::MolarenaProfiles>(),
            node_kind: self.kind as u32,
            space: text(self.space),
            rows: self.values.rows as u64,
            columns: self.values.columns as u64,
            nodes: self.nodes.as_ptr(),
            values: self.values.values.as_ptr(),
            batches: self.batches.map_or(ptr::null(), <[u32]>::as_ptr),
            cell_counts: self.cell_counts.map_or(ptr::null(), <[f32]>::as_ptr),
        }
    }

    /// # Safety
    ///
    /// As for [`Corpus::from_abi`].
    unsafe fn from_abi(raw: *const abi::MolarenaProfiles) -> Result<Self> {
        // SAFETY: the caller promises it.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return Err(Error::invalid_argument("corpus: null feature space"));
        };
        let rows = raw.rows as usize;
        let dense = abi::MolarenaDense { values: raw.values, columns: raw.columns };
        Ok(Self {
            // SAFETY: the caller promises it.
            space: unsafe { str_from(raw.space)? },
            kind: NodeKind::from_abi(raw.node_kind)?,
            // SAFETY: the caller promises it.
            nodes: unsafe { slice_from("corpus profiles", raw.nodes, rows)? },
            // SAFETY: the caller promises it.
            values: unsafe { Dense::from_abi(&dense, rows)? },
            batches: if raw.batches.is_null() {
                None
            } else {
                // SAFETY: the caller promises it.
                Some(unsafe { slice_from("corpus batches", raw.batches, rows)? })
            },
            cell_counts: if raw.cell_counts.is_null() {
                None
            } else {
                // SAFETY: the caller promises it.
                Some(unsafe { slice_from("corpus cell counts", raw.cell_counts, rows)? })
            },
        })
    }
}

impl Call<'_> {
    /// Calls `use_it` with the call as the ABI's struct. A folder whose path is not UTF-8 is left out: the ABI has only
    /// UTF-8 text, and a converted path would name another folder.
    pub fn with_abi<T>(&self, use_it: impl FnOnce(&abi::MolarenaCall) -> T) -> T {
        let hooks = self.hooks;
        let folder = self.folder.and_then(Path::to_str).unwrap_or("");
        use_it(&abi::MolarenaCall {
            struct_size: size_of::<abi::MolarenaCall>(),
            threads: u32::try_from(self.threads).unwrap_or(u32::MAX),
            seed: self.seed,
            device: text(self.device),
            context: ptr::from_ref(&hooks).cast_mut().cast::<c_void>(),
            progress: Some(lent_progress),
            cancelled: Some(lent_cancelled),
            folder: text(folder),
        })
    }

    /// Calls `use_it` with the call that `raw` describes.
    ///
    /// # Safety
    ///
    /// `raw` is null or follows the ABI's rules for [`abi::MolarenaCall`] until this returns.
    pub(crate) unsafe fn from_abi<T>(
        raw: *const abi::MolarenaCall,
        use_it: impl FnOnce(&Call<'_>) -> Result<T>,
    ) -> Result<T> {
        // SAFETY: the caller promises it.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return Err(Error::invalid_argument("call: null pointer"));
        };
        // SAFETY: the caller promises it.
        let (device, folder) = unsafe { (str_from(raw.device)?, str_from(raw.folder)?) };
        let hooks = AbiHooks(raw);
        use_it(&Call {
            seed: raw.seed,
            threads: (raw.threads as usize).max(1),
            device: if device.is_empty() { "cpu" } else { device },
            hooks: Some(&hooks),
            folder: Some(folder).filter(|folder| !folder.is_empty()).map(Path::new),
        })
    }
}

unsafe extern "C" fn lent_progress(context: *mut c_void, fraction: f64, message: abi::MolarenaStr) {
    // SAFETY: `with_abi` lends `context`, which outlives the call; the text lives until we return.
    let (hooks, message) = unsafe { (*context.cast::<Option<&dyn Hooks>>(), str_from(message)) };
    if let (Some(hooks), Ok(message)) = (hooks, message) {
        hooks.progress(fraction, message);
    }
}

unsafe extern "C" fn lent_cancelled(context: *mut c_void) -> i32 {
    // SAFETY: `with_abi` lends `context`, which outlives the call.
    let hooks = unsafe { *context.cast::<Option<&dyn Hooks>>() };
    i32::from(hooks.is_some_and(Hooks::cancelled))
}

/// The caller's progress and cancel functions.
struct AbiHooks(abi::MolarenaCall);

// SAFETY: the ABI says that `progress` and `cancelled` may be called from any thread with `context`.
unsafe impl Sync for AbiHooks {}

impl Hooks for AbiHooks {
    fn progress(&self, fraction: f64, message: &str) {
        if let Some(progress) = self.0.progress {
            // SAFETY: the function and its context are valid until the call that carries them returns.
            unsafe { progress(self.0.context, fraction, text(message)) }
        }
    }

    fn cancelled(&self) -> bool {
        // SAFETY: as above.
        self.0.cancelled.is_some_and(|cancelled| unsafe { cancelled(self.0.context) } != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_crosses_and_a_call_of_abi_1_0_has_none() {
        let folder = |raw: *const abi::MolarenaCall| {
            // SAFETY: `with_abi` lends `raw` until this returns, and `raw` is as long as its `struct_size`.
            unsafe { Call::from_abi(raw, |call| Ok(call.folder.map(Path::to_owned))) }.unwrap()
        };
        let call = Call::new(0, 1);
        assert_eq!(call.with_abi(|raw| folder(raw)), None);
        let call = call.with_folder(Path::new("/work/some folder"));
        assert_eq!(call.with_abi(|raw| folder(raw)).as_deref(), call.folder);
        let of_1_0 = |raw: &abi::MolarenaCall| folder(&abi::MolarenaCall { struct_size: 56, ..*raw });
        assert_eq!(call.with_abi(of_1_0), None);
    }
}
