{{- define "pintle.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 53, so that "-metrics" and the like still fit into 63. */}}
{{- define "pintle.fullname" -}}
{{- $name := include "pintle.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 53 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What tells this release's pods from all others; must never change. */}}
{{- define "pintle.selectorLabels" -}}
app.kubernetes.io/name: {{ include "pintle.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "pintle.labels" -}}
{{ include "pintle.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "pintle.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "pintle.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "pintle.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end }}
{{- end }}
{{- end }}

{{/* Whoever is bound here is the controller. */}}
{{- define "pintle.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "pintle.serviceAccountName" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
