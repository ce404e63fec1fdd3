package main

import (
	"github.com/Masterminds/semver/v3"
)

// versionInputs are texts that are read as versions, leniently and strictly.
var versionInputs = []string{
	"", "0", "1", "v1", "V1", "1.2", "v1.2", "1.2.3", "v1.2.3", "01.2.3", "1.02.3", "1.2.03", "001",
	"1.2.3-alpha", "1.2.3-alpha.1", "1.2.3-alpha.01", "1.2.3-01", "1.2.3-0", "1.2.3-00", "1.2.3-alpha..1", "1.2.3-",
	"1.2.3+meta", "1.2.3+", "1.2.3+a..b", "1.2.3+a_b", "1.2.3-alpha+meta.5", "1.2.3+meta-alpha", "1-alpha", "1.2-alpha", "1+meta",
	"1.2.3.4", "1.2.", "1..3", ".1.2", "a.b.c", "1.2.x", " 1.2.3", "1.2.3 ", "1.2.3\n", "-1.2.3", "1.-2.3", "+1.2.3",
	"18446744073709551615.0.0", "18446744073709551616.0.0", "1.18446744073709551616.0", "1.0.99999999999999999999",
	"1.2.3-18446744073709551616", "1.27.4-gke.900", "v1.27.4-gke.900", "v1.29.0-eks-a5565ad", "v1.28.2+k3s1", "v1.30.0+rke2r1",
	"1.2.3-beta_1", "1.2.3-béta", "1.2.3-a.b.c.d.e.f", "1.2.3--", "1.2.3---", "1.2.3-a-b", "2024.01.15", "0.0.0-0", "0.0.0", "10.0.0", "1.10.0", "1.9.0",
	"1.2.3-alpha.beta", "1.2.3-alpha.2", "1.2.3-alpha.10", "1.2.3-rc.1", "1.2.3-beta", "1.2.4", "2.0.0", "2.0.0-rc.1", "0.2.3", "0.0.3", "0.0.4", "0.3.0", "1.3.0", "1.2.3-alpha.a", "1.2.3-9", "1.2.3-a9",
	"vv1.2.3", "v", "1,2,3", "1.2.3-alpha beta", "1.2.3/4", "1..", "..", "1.2.3+build.01",
}

// constraintInputs are read as constraints; those that are one are checked against every version.
var constraintInputs = []string{
	"", " ", "*", "x", "X", "v*", "1", "v1", "1.x", "1.X", "1.*", "1.2", "1.2.x", "1.2.*", "1.x.x", "1.x.3", "1.2.3", "v1.2.3", "=1.2.3", "= 1.2.3", "==1.2.3",
	"!=1.2.3", "!= 1.2", "!=1", "!=1.2.x", "!=1.x", "!=*", "!=1.2.3-alpha", "!=1.2-alpha", ">1", ">1.2", ">1.2.3", ">1.2.x", ">1.x", ">*", "> 1.2.3-alpha", ">1.2-alpha",
	"<1", "<1.2", "<1.2.3", "<1.x", "<*", "<1.2.3-alpha", "< 2.0.0-0", ">=1", ">=1.2", ">=1.2.3", ">= 1.x", "=>1.2.3", ">=1.0.0-0", ">=0-0", ">=1.2.3-alpha", ">=*", ">= 1.20.0-0 < 1.30.0-0",
	"<=1", "<=1.2", "<=1.2.3", "<=1.x", "=<1.2.3", "<=*", "<=1.2.x", "<=0.2", "<=1.2.3-alpha", "~1", "~1.2", "~1.2.3", "~1.x", "~1.2.x", "~*", "~>1.2.3", "~> 1.2", "~0", "~0.0", "~0.0.0", "~0.0.3", "~0.2.3", "~1.2.3-alpha", "~1.2-alpha", "~1-alpha",
	"^1", "^1.2", "^1.2.3", "^1.x", "^1.2.x", "^*", "^0", "^0.0", "^0.2", "^0.2.3", "^0.0.3", "^0.x", "^0.0.x", "^1.2.3-alpha", "^0.0.0", "^0.2.x", "^0.0.3-0",
	"1.2 - 1.4", "1.2.3 - 2.0.0", "1 - 2", "v1.2.3 - v1.3", "1.2-1.4", "1.2 -1.4", "1.2- 1.4", "1.2.3 - 2 || 3 - 4", "1.2.3-alpha - 2", "1.x - 2.x", "1 - 2 - 3", ">1 - 2", "1.2.3.4 - 5", " 1 - 2 ,<3", "1  -   2", "é1 - 2",
	">=1.2,<2", ">=1.2, <2", ">=1.2 , <2", ">=1.2 <2", ">=1.2<2", ">=1.2,,<2", ">=1.2,", ",>=1.2", ">=1.2 || <1", ">=1.2||<1", "||", "1||", "||1", "1 || || 2", ">=1.2 <2 || >=3 <4-0", "1.2.3 1.2.3", "1 2", "> = 1", "= > 1", "~ > 1", "!1", "!=", ">", "1 |2", "1|2", "x|x", "xx", "1.xx", "1.x2", "**",
	"a", "1.2.3.4", "1.2.", "1..2", "1.2.3-", "1.2.3+meta", ">1.2.3+meta", "1.2.3-a+b.c", "1.2.3-01", ">=1.2.3-beta.01", "foo 1.2.3", "1.2.3 foo", "1.2.3\t<2", "1.2.3\v<2", "\n1.2.3\n", ">=1.2.3\u00a0<2", "≥1.2", "\"1\"", "1\\2", "99999999999999999999", "^01.2", ">=1.13.0-0", ">= 1.19-0", "1.19.x-0", ">0.0.0-0", ">=1.16.0-0 <1.30.0-0", "<1.22-0", "~1.27.4-gke.900", "=1.27.4-gke.900",
}

type versionCase struct {
	Text   string `json:"text"`
	Parsed string `json:"parsed,omitempty"`
	Error  string `json:"error,omitempty"`
	Strict string `json:"strict,omitempty"`
	// StrictError is what StrictNewVersion complains of.
	StrictError string `json:"strict_error,omitempty"`
	// Order is how the version compares with every other that could be read.
	Order string `json:"order,omitempty"`
	Next  string `json:"next,omitempty"`
}

type constraintCase struct {
	Text   string `json:"text"`
	Parsed string `json:"parsed,omitempty"`
	Error  string `json:"error,omitempty"`
	// Verdicts has a y or n for every version that could be read.
	Verdicts string `json:"verdicts,omitempty"`
	// Reasons are those of Validate for every fifth version.
	Reasons [][]string `json:"reasons,omitempty"`
}

type semverCases struct {
	Versions    []versionCase    `json:"versions"`
	Constraints []constraintCase `json:"constraints"`
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func semverExpectations() semverCases {
	var out semverCases
	var versions []*semver.Version
	for _, text := range versionInputs {
		if v, err := semver.NewVersion(text); err == nil {
			versions = append(versions, v)
		}
	}
	for _, text := range versionInputs {
		c := versionCase{Text: text}
		v, err := semver.NewVersion(text)
		c.Error = message(err)
		if err == nil {
			c.Parsed = v.String()
			for _, o := range versions {
				c.Order += string("<=>"[v.Compare(o)+1])
			}
			if v.Major() < 1<<63 {
				next := func(n semver.Version) string { return n.Original() }
				c.Next = next(v.IncPatch()) + " " + next(v.IncMinor()) + " " + next(v.IncMajor())
			}
		}
		strict, err := semver.StrictNewVersion(text)
		c.StrictError = message(err)
		if err == nil {
			c.Strict = strict.String()
		}
		out.Versions = append(out.Versions, c)
	}
	for _, text := range constraintInputs {
		c := constraintCase{Text: text}
		parsed, err := semver.NewConstraint(text)
		c.Error = message(err)
		if err == nil {
			c.Parsed = parsed.String()
			for i, v := range versions {
				c.Verdicts += map[bool]string{true: "y", false: "n"}[parsed.Check(v)]
				if i%5 == 0 {
					_, errs := parsed.Validate(v)
					reasons := []string{}
					for _, e := range errs {
						reasons = append(reasons, e.Error())
					}
					c.Reasons = append(c.Reasons, reasons)
				}
			}
		}
		out.Constraints = append(out.Constraints, c)
	}
	return out
}
