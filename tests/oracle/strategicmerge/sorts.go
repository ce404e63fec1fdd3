package main

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"slices"
	"sort"
)

// sorted is a list of numbers and what sort.Sort and sort.SliceStable make of it, with comparisons
// of the kind strategicpatch uses: neither is an order.
type sorted struct {
	Input  []int `json:"input"`
	Sort   []int `json:"sort"`
	Stable []int `json:"stable"`
}

// byEighth compares with <=, so that equal numbers count as smaller than each other.
type byEighth []int

func (s byEighth) Len() int           { return len(s) }
func (s byEighth) Less(i, j int) bool { return s[i]/8 <= s[j]/8 }
func (s byEighth) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

func writeSorts(w io.Writer) {
	r := rand.New(rand.NewPCG(1, 1))
	shapes := []func(n, i int) int{
		func(n, _ int) int { return r.IntN(8*n + 8) },
		func(_, i int) int { return i * 8 },
		func(n, i int) int { return (n - i) * 8 },
		func(n, i int) int { return (i%(n/3+1))*8 + r.IntN(8) },
		func(n, i int) int { return (n-i)/3*8 + r.IntN(8) },
		func(_, _ int) int { return r.IntN(32) },
		func(n, i int) int {
			if i%17 == 5 {
				return r.IntN(8 * n)
			}
			return i * 8
		},
	}
	out := json.NewEncoder(w)
	for _, n := range []int{2, 12, 13, 19, 20, 21, 41, 49, 50, 51, 64, 100, 163} {
		for _, shape := range shapes {
			input := make([]int, n)
			for i := range input {
				input[i] = shape(n, i)
			}
			plain, stable := byEighth(slices.Clone(input)), slices.Clone(input)
			sort.Sort(plain)
			sort.SliceStable(stable, func(i, j int) bool {
				return stable[i]%3 == 0 || stable[j]%3 == 0 || stable[i] < stable[j]
			})
			must(out.Encode(sorted{input, plain, stable}))
		}
	}
}
