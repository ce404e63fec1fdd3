//! Strategic merge patches for built-in kinds.
//!
//! In: two or three objects and their kind's patch tags. Out: the patch that apimachinery's strategicpatch
//! makes, or the object that a server makes of one, equal to it also where upstream is odd.

mod combine;
mod diff;
mod order;

use serde_json::{Map, Value};

use super::Fault;
use super::schema::{Node, Schema};
use combine::{Combine, Side};
use diff::{Diff, Half};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList";
const SET_ORDER: &str = "$setElementOrder";

type Object = Map<String, Value>;

/// The patch that takes `live` to `target`: what differs between them, and the removal of what `previous`
/// had and `target` has not.
// apimachinery: strategicpatch/patch.go CreateThreeWayMergePatch, overwrite = true
pub(super) fn three_way(
    node: Node,
    previous: &Object,
    target: &Object,
    live: &Object,
) -> Result<Object, Fault> {
    let schema = Schema::table();
    let changes = Diff {
        schema,
        half: Half::Changes,
    }
    .objects(live, target, node, false)?;
    let deletions = Diff {
        schema,
        half: Half::Deletions,
    }
    .objects(previous, target, node, false)?;
    Combine {
        schema,
        side: Side::TwoPatches,
    }
    .objects(deletions, changes, node)
}

/// What a server makes of `live` when it gets `patch`.
// apimachinery: strategicpatch/patch.go StrategicMergeMapPatchUsingLookupPatchMeta
pub(super) fn apply(node: Node, live: &Object, patch: &Object) -> Result<Object, Fault> {
    let combine = Combine {
        schema: Schema::table(),
        side: Side::Server,
    };
    combine.objects(live.clone(), patch.clone(), node)
}
