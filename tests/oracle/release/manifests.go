package main

import (
	"helm.sh/helm/v4/pkg/release/v1/util"

	release "helm.sh/helm/v4/pkg/release/v1"
)

// A sorted is one case: the rendered files, and what Helm's SortManifests made of them.
type sorted struct {
	Name      string            `json:"name"`
	Files     map[string]string `json:"files"`
	Hooks     []*release.Hook   `json:"hooks"`
	Manifests []manifest        `json:"manifests"`
	Error     string            `json:"error"`
}

type manifest struct {
	Name    string `json:"name"`
	Content string `json:"content"`
	Kind    string `json:"kind"`
	Version string `json:"version"`
}

func manifests() []sorted {
	var all []sorted
	for _, c := range manifestCases {
		hooks, found, err := util.SortManifests(c.files, nil, util.InstallOrder)
		s := sorted{Name: c.name, Files: c.files, Hooks: hooks}
		if err != nil {
			s.Error = err.Error()
			s.Hooks = nil
			found = nil
		}
		for _, m := range found {
			s.Manifests = append(s.Manifests, manifest{m.Name, m.Content, m.Head.Kind, m.Head.Version})
		}
		all = append(all, s)
	}
	return all
}

type files = map[string]string

// one stands for the cases of one file.
func one(content string) files { return files{"c/templates/a.yaml": content} }

func head(metadata string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n" + metadata
}

func hook(annotations string) string {
	return head("  name: h\n  annotations:\n" + annotations)
}

var manifestCases = []struct {
	name  string
	files files
}{
	{"nothing", files{}},
	{"blank", one(" \n\t\n")},
	{"partial", files{"c/templates/_a.tpl": "kind: A"}},
	{"one", one("kind: A\n")},
	{"leading blank lines", one("\n\n   \nkind: A\n")},
	{"leading separator", one("---\nkind: A\n")},
	{"trailing separator", one("kind: A\n---\n")},
	{"two", one("kind: A\n---\nkind: B\n")},
	{"separator with spaces", one("kind: A\n---  \t \nkind: B\n")},
	{"separator glued to content", one("kind: A\n---kind: B\n")},
	{"four dashes", one("kind: A\n----\n")},
	{"separator indented", one("kind: A\nb: |\n  ---\n  x\n")},
	{"separator inside a block scalar", one("kind: A\nb: |\n---\nkind: B\n")},
	{"separator with comment", one("kind: A\n--- # next\nkind: B\n")},
	{"carriage returns", one("kind: A\r\n---\r\nkind: B\r\n")},
	{"document end marker", one("kind: A\n...\n")},
	{"only a comment", one("# nothing here\n")},
	{"comment documents among others", one("# one\n---\nkind: A\n---\n# two\n")},
	{"null document", one("null\n")},
	{"nonbreaking space", one("\u00a0\nkind: A\n")},
	{"next line character", one("\u0085kind: A\n")},
	{"not an object: array", one("- a\n")},
	{"not an object: string", one("hello\n")},
	{"not an object: number", one("12\n")},
	{"not an object: true", one("true\n")},
	{"broken yaml", one("kind: A\n  b: c\n")},
	{"broken second document", one("kind: A\n---\nkind: A\n b: c\n")},
	{"tab", one("kind: A\n\tb: c\n")},
	{"unclosed quote", one("kind: \"A\n")},
	{"duplicate key", one("kind: A\nkind: B\n")},
	{"unresolved template", one("kind: {{ .Values.a }}\n")},
	{"kind number", one("apiVersion: 1\nkind: 5\n")},
	{"kind float", one("apiVersion: 1.0\nkind: 1.5\n")},
	{"kind great float", one("apiVersion: 1e30\nkind: 123456789.5\n")},
	{"kind bool", one("apiVersion: yes\nkind: off\n")},
	{"kind null", one("apiVersion: ~\nkind: null\n")},
	{"kind array", one("kind: [A]\n")},
	{"kind object", one("kind: {a: b}\n")},
	{"version array", one("apiVersion: []\nkind: []\n")},
	{"metadata null", one("kind: A\nmetadata:\n")},
	{"metadata string", one("kind: A\nmetadata: x\n")},
	{"metadata array", one("kind: A\nmetadata: []\n")},
	{"metadata number", one("kind: A\nmetadata: 3\n")},
	{"metadata bool", one("kind: A\nmetadata: true\n")},
	{"name array", one(head("  name: [x]\n"))},
	{"name number", one(hook("    helm.sh/hook: test\n  name: 12\n"))},
	{"name hexadecimal", one(head("  name: 0x10\n  annotations: {helm.sh/hook: test}\n"))},
	{"name object", one(head("  name: {}\n"))},
	{"annotations null", one(head("  annotations:\n"))},
	{"annotations array", one(head("  annotations: []\n"))},
	{"annotations string", one(head("  annotations: x\n"))},
	{"annotation array", one(head("  annotations:\n    a: []\n"))},
	{"annotation object", one(head("  annotations:\n    a: {}\n"))},
	{"annotation null", one(head("  annotations:\n    a:\n"))},
	{"annotation number and bool", one(hook("    helm.sh/hook: test\n    helm.sh/hook-weight: -5\n    a: 1.5\n    b: true\n"))},
	{"annotation number key", one(hook("    helm.sh/hook: test\n    1: a\n"))},
	{"first of two errors", one("apiVersion: {}\nkind: []\nmetadata: x\n")},
	{"capitals", one("Kind: A\nMetadata:\n  Name: n\n  Annotations: {helm.sh/hook: test}\n")},
	{"capitals and small", one("KIND: A\nkind: B\n")},
	{"every hook", one(hook("    helm.sh/hook: pre-install,post-install,pre-delete,post-delete,pre-upgrade,post-upgrade,pre-rollback,post-rollback,test\n"))},
	{"hook in capitals with spaces", one(hook("    helm.sh/hook: \" Pre-Install , POST-upgrade\"\n"))},
	{"test-success", one(hook("    helm.sh/hook: test-success\n"))},
	{"crd-install is unknown", one(hook("    helm.sh/hook: crd-install\n"))},
	{"one of two unknown", one(hook("    helm.sh/hook: pre-install,nope\n"))},
	{"hook null", one(hook("    helm.sh/hook:\n"))},
	{"hook empty item", one(hook("    helm.sh/hook: pre-install,\n"))},
	{"weight text", one(hook("    helm.sh/hook: test\n    helm.sh/hook-weight: \"12\"\n"))},
	{"weight plus", one(hook("    helm.sh/hook: test\n    helm.sh/hook-weight: \"+12\"\n"))},
	{"weight spaces", one(hook("    helm.sh/hook: test\n    helm.sh/hook-weight: \" 12\"\n"))},
	{"weight underscore", one(hook("    helm.sh/hook: test\n    helm.sh/hook-weight: \"1_2\"\n"))},
	{"weight zeros", one(hook("    helm.sh/hook: test\n    helm.sh/hook-weight: \"-007\"\n"))},
	{"weight float", one(hook("    helm.sh/hook: test\n    helm.sh/hook-weight: 1.5\n"))},
	{"weight whole float", one(hook("    helm.sh/hook: test\n    helm.sh/hook-weight: 5.0\n"))},
	{"weight too great", one(hook("    helm.sh/hook: test\n    helm.sh/hook-weight: \"9223372036854775808\"\n"))},
	{"delete policies", one(hook("    helm.sh/hook: test\n    helm.sh/hook-delete-policy: \"Before-Hook-Creation, hook-succeeded,nope,\"\n"))},
	{"output policies", one(hook("    helm.sh/hook: test\n    helm.sh/hook-output-log-policy: hook-failed , hook-succeeded\n"))},
	{"annotations but no hook", one(hook("    a: b\n"))},
	{"files in order of their paths", files{
		"c/templates/b.yaml": "kind: X", "c/templates/a.yaml": "kind: X", "c/charts/z/templates/a.yaml": "kind: X",
	}},
	{"install order", one("kind: Zebra\n---\nkind: Deployment\n---\nkind: Service\n---\nkind: Ant\n---\nkind: Namespace\n---\nkind: PriorityClass\n---\nkind: ValidatingWebhookConfiguration\n---\nkind: MutatingWebhookConfiguration\n---\nkind: APIService\n---\nkind: Ingress\n---\nkind: IngressClass\n---\nkind: CronJob\n---\nkind: Job\n---\nkind: StatefulSet\n---\nkind: HorizontalPodAutoscaler\n---\nkind: ReplicaSet\n---\nkind: ReplicationController\n---\nkind: Pod\n---\nkind: DaemonSet\n---\nkind: RoleBindingList\n---\nkind: RoleBinding\n---\nkind: RoleList\n---\nkind: Role\n---\nkind: ClusterRoleBindingList\n---\nkind: ClusterRoleBinding\n---\nkind: ClusterRoleList\n---\nkind: ClusterRole\n---\nkind: CustomResourceDefinition\n---\nkind: PersistentVolumeClaim\n---\nkind: PersistentVolume\n---\nkind: StorageClass\n---\nkind: ConfigMap\n---\nkind: SecretList\n---\nkind: Secret\n---\nkind: ServiceAccount\n---\nkind: PodDisruptionBudget\n---\nkind: PodSecurityPolicy\n---\nkind: LimitRange\n---\nkind: ResourceQuota\n---\nkind: NetworkPolicy\n---\n# none\n")},
	{"hooks by kind", files{
		"c/a.yaml": "kind: Job\nmetadata: {name: j, annotations: {helm.sh/hook: test}}",
		"c/b.yaml": "kind: ConfigMap\nmetadata: {name: c, annotations: {helm.sh/hook: test, helm.sh/hook-weight: \"9\"}}",
		"c/d.yaml": "kind: Zed\nmetadata: {name: z, annotations: {helm.sh/hook: test}}",
	}},
	{"same kind keeps its order", one("kind: A\nn: 2\n---\nkind: A\nn: 1\n---\nkind: A\nn: 3\n")},
}
