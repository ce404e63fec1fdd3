{{- define "cache.fullname" -}}
{{- printf "%s-cache" .Release.Name | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/* Where the chart that holds this one finds the cache. */}}
{{- define "cache.address" -}}
{{ include "cache.fullname" . }}:{{ .Values.port }}
{{- end }}

{{- define "cache.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
