package main

import (
	"bytes"
	"encoding/json"
	"slices"
)

// inTurns gathers the different outcomes of some turns. Helm goes by the order of Go's maps, which
// is another one at each turn: whatever it says in one of them is what it says.
func inTurns(turns int, turn func() outcome) ([]json.RawMessage, error) {
	var outcomes []json.RawMessage
	for range turns {
		text, err := json.Marshal(turn())
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(outcomes, func(seen json.RawMessage) bool { return bytes.Equal(seen, text) }) {
			outcomes = append(outcomes, text)
		}
	}
	slices.SortFunc(outcomes, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	return outcomes, nil
}
