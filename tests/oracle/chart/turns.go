package main

import (
	"bytes"
	"encoding/json"
	"slices"
)

// patience is how many times as many turns are taken for what comes out differently.
const patience = 100

// inTurns gathers the different outcomes of some turns. Helm goes by the order of Go's maps, which
// is another one at each turn: whatever it says in one of them is what it says.
//
// Some orders are rare. What was known of them before is waited for, and where nothing was known
// and there is more than one outcome, all turns are taken that there is patience for; so that what
// is written once is written again.
func inTurns(turns int, known []json.RawMessage, turn func() outcome) ([]json.RawMessage, error) {
	var outcomes []json.RawMessage
	has := func(all []json.RawMessage, one json.RawMessage) bool {
		return slices.ContainsFunc(all, func(seen json.RawMessage) bool { return bytes.Equal(seen, one) })
	}
	enough := func(taken int) bool {
		missing := slices.ContainsFunc(known, func(one json.RawMessage) bool { return !has(outcomes, one) })
		return taken >= patience*turns || taken >= turns && !missing && (known != nil || len(outcomes) == 1)
	}
	for taken := 0; !enough(taken); taken++ {
		text, err := json.Marshal(turn())
		if err != nil {
			return nil, err
		}
		if !has(outcomes, text) {
			outcomes = append(outcomes, text)
		}
	}
	slices.SortFunc(outcomes, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	return outcomes, nil
}

// compacted is a list of outcomes as inTurns has them, out of JSON that may be indented; none if
// there is no such list.
func compacted(text []byte) []json.RawMessage {
	var line bytes.Buffer
	var outcomes []json.RawMessage
	if json.Compact(&line, text) != nil || json.Unmarshal(line.Bytes(), &outcomes) != nil {
		return nil
	}
	return outcomes
}
