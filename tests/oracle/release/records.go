package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	chart3 "helm.sh/helm/v3/pkg/chart"
	release3 "helm.sh/helm/v3/pkg/release"
	storage3 "helm.sh/helm/v3/pkg/storage"
	driver3 "helm.sh/helm/v3/pkg/storage/driver"
	time3 "helm.sh/helm/v3/pkg/time"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	rcommon "helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

var (
	first = time.Date(2024, 2, 29, 23, 59, 58, 123456789, time.FixedZone("", 2*3600))
	last  = time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
)

// records has both Helms store releases into Secrets and writes what the Secrets hold.
func records() {
	for _, r := range records4() {
		client := fake.NewSimpleClientset().CoreV1().Secrets("ns")
		check(storage.Init(driver.NewSecrets(client)).Create(r.release))
		list, err := client.List(ctx(), metav1.ListOptions{})
		check(err)
		store("helm4-"+r.name, list.Items[0], r.release)
	}
	client := fake.NewSimpleClientset().CoreV1().Secrets("ns")
	rel := record3()
	check(storage3.Init(driver3.NewSecrets(client)).Create(rel))
	list, err := client.List(ctx(), metav1.ListOptions{})
	check(err)
	store("helm3-full", list.Items[0], rel)
}

type stored struct {
	Secret string            `json:"secret"`
	Type   string            `json:"type"`
	Labels map[string]string `json:"labels"`
	Data   string            `json:"data"`
	JSON   string            `json:"json"`
}

func store(name string, secret v1.Secret, rel any) {
	delete(secret.Labels, "createdAt")
	raw, err := json.Marshal(rel)
	check(err)
	to, err := os.Create(filepath.Join("records", name+".json"))
	check(err)
	defer to.Close()
	write(to, stored{secret.Name, string(secret.Type), secret.Labels, string(secret.Data["release"]), string(raw)})
}

// read prints the JSON of the record that a file holds, as Helm 4 understands it.
func read(name string) {
	data, err := os.ReadFile(name)
	check(err)
	secret := &v1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "sh.helm.release.v1.r.v1", Namespace: "ns", Labels: map[string]string{"owner": "helm", "name": "r"}},
		Data:       map[string][]byte{"release": data},
	}
	rel, err := driver.NewSecrets(fake.NewSimpleClientset(secret).CoreV1().Secrets("ns")).Get(secret.Name)
	check(err)
	raw, err := json.Marshal(rel)
	check(err)
	fmt.Println(string(raw))
}

type named struct {
	name    string
	release *release.Release
}

func records4() []named {
	return []named{
		{"full", &release.Release{
			Name: "web", Version: 12, Namespace: "apps", ApplyMethod: "ssa",
			Labels: map[string]string{"team": "blue"},
			Info: &release.Info{
				FirstDeployed: first, LastDeployed: last, Deleted: last, Description: "Upgrade \"complete\" <&>\u2028",
				Status: rcommon.StatusDeployed, RollbackRevision: 3, Notes: "Hello\n\tworld\x01\u007f",
			},
			Chart: &chart.Chart{
				Metadata: &chart.Metadata{
					Name: "web", Version: "1.2.3", AppVersion: "4.5", APIVersion: "v2", Annotations: map[string]string{"a": "b"},
					Dependencies: []*chart.Dependency{{Name: "db", Version: "1.x", Repository: "oci://x", ImportValues: []any{"data", map[string]any{"child": "a", "parent": "b"}}}},
				},
				Lock:      &chart.Lock{Generated: last, Digest: "sha256:0", Dependencies: []*chart.Dependency{{Name: "db", Version: "1.0.0", Repository: "oci://x"}}},
				Templates: []*common.File{{Name: "templates/a.yaml", Data: []byte("kind: A\n"), ModTime: last}},
				Values:    map[string]any{"replicas": 3.0, "name": "x"},
				Schema:    []byte("{}"),
				Files:     []*common.File{{Name: "README.md", Data: []byte{0, 255}}},
				ModTime:   last,
			},
			Config: map[string]any{
				"i": 3, "f": 3.0, "half": 0.5, "big": 1e21, "large": 123456789012345680.0, "small": 1e-7, "tiny": 5e-324,
				"edge": 1e-6, "tie": 123456789012345.125, "max": 1.7976931348623157e308, "minus": -0.0, "neg": -1234.5,
				"s": "<a & b>", "n": nil, "l": []any{1, "a", nil, map[string]any{}}, "m": map[string]any{"x": map[string]any{"y": true}},
			},
			Manifest: "---\n# Source: web/templates/a.yaml\nkind: A\n",
			Hooks: []*release.Hook{
				{Name: "h", Kind: "Job", Path: "web/templates/h.yaml", Manifest: "kind: Job\n",
					Events: []release.HookEvent{release.HookPreInstall, release.HookTest}, Weight: -5,
					LastRun:        release.HookExecution{StartedAt: first, CompletedAt: last, Phase: release.HookPhaseSucceeded},
					DeletePolicies: []release.HookDeletePolicy{release.HookSucceeded, "nope"}, OutputLogPolicies: []release.HookOutputLogPolicy{release.HookOutputOnFailed}},
				{Name: "never", Events: []release.HookEvent{}, DeletePolicies: []release.HookDeletePolicy{}},
			},
		}},
		{"bare", &release.Release{Name: "r", Version: 1, Namespace: "ns", Info: &release.Info{Status: rcommon.StatusPendingInstall}}},
		{"empty-chart", &release.Release{Name: "r", Version: 1, Info: &release.Info{Status: rcommon.StatusFailed}, Chart: &chart.Chart{Metadata: &chart.Metadata{Name: "c"}}, Config: map[string]any{}}},
	}
}

func record3() *release3.Release {
	return &release3.Release{
		Name: "old", Version: 2, Namespace: "apps", Labels: map[string]string{"team": "red"},
		Info: &release3.Info{
			FirstDeployed: time3.Time{Time: first}, LastDeployed: time3.Time{Time: last}, Description: "Install complete",
			Status: release3.StatusSuperseded, Notes: "n",
		},
		Chart: &chart3.Chart{
			Metadata:  &chart3.Metadata{Name: "old", Version: "0.1.0", APIVersion: "v1", AppVersion: "1"},
			Templates: []*chart3.File{{Name: "templates/a.yaml", Data: []byte("kind: A\n")}},
			Values:    map[string]interface{}{"a": 1.5},
		},
		Config:   map[string]interface{}{"a": 2},
		Manifest: "---\n# Source: old/templates/a.yaml\nkind: A\n",
		Hooks: []*release3.Hook{{Name: "h", Kind: "Pod", Path: "old/templates/t.yaml", Manifest: "kind: Pod\n",
			Events: []release3.HookEvent{release3.HookTest}}},
	}
}
