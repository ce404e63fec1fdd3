//! Go's string: shared, immutable bytes that are usually, but not always, UTF-8.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use bstr::{BStr, ByteSlice};

/// A Go string. `b64dec` and `.Files.Get` yield bytes that are no UTF-8, and Go carries them
/// through unharmed, so a `Text` does too. Cloning it is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Rc<[u8]>);

impl Text {
    /// The text of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Rc::from(bytes))
    }

    /// The bytes of this text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text as UTF-8, where it is.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The text as UTF-8, each broken sequence replaced by U+FFFD as Go's conversions do.
    pub fn to_str_lossy(&self) -> std::borrow::Cow<'_, str> {
        BStr::new(&*self.0).to_str_lossy()
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Rc::from(&[][..]))
    }
}

impl Deref for Text {
    type Target = BStr;

    fn deref(&self) -> &BStr {
        BStr::new(&*self.0)
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Rc::from(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Rc::from(text.into_bytes()))
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Rc::from(bytes))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(BStr::new(&*self.0), f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(BStr::new(&*self.0), f)
    }
}
