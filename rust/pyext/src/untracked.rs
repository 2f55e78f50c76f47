//! Objects that Python's garbage collector does not visit. The only unsafe code there is.
//!
//! PyO3 has the collector track every object that it makes. Of objects that are made by the hundred thousand and kept, as
//! receipts are, going over them again and again costs several times what making them does.

use pyo3::{PyClass, ffi, prelude::*};

/// A new object that the collector passes over. For classes whose objects refer to nothing that could lead back to them.
#[expect(unsafe_code, reason = "PyO3 has no class that is not tracked")]
pub(crate) fn untracked<T>(py: Python<'_>, value: T) -> PyResult<Bound<'_, T>>
where
    T: PyClass + Into<PyClassInitializer<T>>,
{
    let object = Bound::new(py, value)?;
    // SAFETY: `object` is alive. Only what is tracked now is untracked, which Python permits at any time, and an object that is
    // not may be freed.
    unsafe {
        if ffi::PyObject_GC_IsTracked(object.as_ptr()) == 1 {
            ffi::PyObject_GC_UnTrack(object.as_ptr().cast());
        }
    }
    Ok(object)
}
