<#
.SYNOPSIS
  Imports the five Atlas tasks into Task Scheduler (folder \Atlas\), or removes them.
.EXAMPLE
  .\install-tasks.ps1 -Root D:\atlas\client-stage
.EXAMPLE
  .\install-tasks.ps1 -Remove
.NOTES
  Run it as an administrator. The tasks run as -User, logged on or not, without a window and without a stored
  password; ATLAS_DATABASE_URL comes from that user's environment or from atlas-stage.toml in the cron folder.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
  [string] $Root = (Resolve-Path (Join-Path $PSScriptRoot '..\..')).Path,
  [string] $User = "$env:USERDOMAIN\$env:USERNAME",
  [switch] $Remove
)

$ErrorActionPreference = 'Stop'
$folder = '\Atlas\'
$written = 'C:\Atlas\client-stage'   # as the files have it

foreach ($file in Get-ChildItem -Path $PSScriptRoot -Filter '*.xml') {
  $name = $file.BaseName
  $known = Get-ScheduledTask -TaskName $name -TaskPath $folder -ErrorAction SilentlyContinue

  if ($Remove) {
    if ($known -and $PSCmdlet.ShouldProcess($name, 'remove')) {
      Unregister-ScheduledTask -TaskName $name -TaskPath $folder -Confirm:$false
      "removed $folder$name"
    }
    continue
  }

  $here = [System.Security.SecurityElement]::Escape($Root.TrimEnd('\'))
  $xml = [System.IO.File]::ReadAllText($file.FullName, [System.Text.Encoding]::Unicode).Replace($written, $here)
  $python = ([xml] $xml).Task.Actions.Exec.Command
  if (-not (Test-Path -LiteralPath $python)) {
    throw "$python is not there: make the virtual environment first, or give -Root"
  }
  if ($PSCmdlet.ShouldProcess($name, 'import')) {
    Register-ScheduledTask -TaskName $name -TaskPath $folder -Xml $xml -User $User -Force | Out-Null
    "imported $folder$name"
  }
}
