package main

import (
	"fmt"
	"math/rand"
	"strings"

	"github.com/gobwas/glob"
)

// globs compiles made-up patterns as helm's .Files.Glob does and says which of the names match:
// lines of the pattern, a tab, and for each name 0, 1 or p where gobwas/glob panics.
func globs() {
	random := rand.New(rand.NewSource(1))
	names := []string{"ab", "ba", "a/b", "a/b/c", "a.b", "a-", "a]", "a-b", "a,b", "{a}", "a*b", "!a", "a\\", "b/a", "abc", "cab.bac", "a/b/c.ab", "é", "aé", "éa", "a/é", "é/b"}
	pieces := []string{"a", "b", "c", "*", "**", "?", "/", ".", "[ab]", "[!a]", "[a-c]", "[!a-b]", "[a-]", "[", "]", "{a,b}", "{ab,c.a}", "}", ",", "\\", "\\*", "-", "é", "[\\]]", "[a-zb]", "!", "[é]", "*b", "b*", "{,a}", "{*,b}", "{a*,b}", "{}", "{**/a,b}", "{ab,ac}", "{a,ba}", "[!é]", "[a-é]"}
	fmt.Println(strings.Join(names, "\t"))
	seen := map[string]bool{}
	for len(seen) < 2500 {
		pattern := ""
		for range 1 + random.Intn(5) {
			pattern += pieces[random.Intn(len(pieces))]
		}
		if seen[pattern] {
			continue
		}
		seen[pattern] = true
		g, err := glob.Compile(pattern, '/')
		if err != nil {
			g, _ = glob.Compile("**")
		}
		line := pattern + "\t"
		for _, name := range names {
			line += matches(g, name)
		}
		fmt.Println(line)
	}
}

func matches(g glob.Glob, name string) (answer string) {
	defer func() {
		if recover() != nil {
			answer = "p"
		}
	}()
	if g.Match(name) {
		return "1"
	}
	return "0"
}
