<#
.SYNOPSIS
  Imports the five Atlas tasks into Task Scheduler (folder \Atlas\), or removes them.
.EXAMPLE
  .\install-tasks.ps1
.EXAMPLE
  .\install-tasks.ps1 -Python D:\atlas\.venv\Scripts\pythonw.exe -Cron D:\atlas\cron
.EXAMPLE
  .\install-tasks.ps1 -Remove
.NOTES
  Run it as an administrator. The tasks run as -User, logged on or not, without a window and without a stored
  password; ATLAS_DATABASE_URL comes from that user's environment or from atlas-stage.toml.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
  [string] $Cron = (Resolve-Path (Join-Path $PSScriptRoot '..')).Path,
  [string] $Python,
  [string] $User = "$env:USERDOMAIN\$env:USERNAME",
  [switch] $Remove
)

$ErrorActionPreference = 'Stop'
$folder = '\Atlas\'
$writtenPython = 'C:\Atlas\client-stage\.venv\Scripts\pythonw.exe'   # as the files have them
$writtenCron = 'C:\Atlas\client-stage\cron'

if (-not $Python) {
  # beside a checkout, or the virtual environment that this file was installed into
  $Python = @('..\.venv', '..\..\..\..\..') |
    ForEach-Object { Join-Path $Cron "$_\Scripts\pythonw.exe" } |
    Where-Object { Test-Path -LiteralPath $_ } |
    ForEach-Object { (Resolve-Path -LiteralPath $_).Path } |
    Select-Object -First 1
}

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

  $wrapper = Join-Path $Cron "$name.py"
  foreach ($needed in @($Python, $wrapper)) {
    if (-not $needed -or -not (Test-Path -LiteralPath $needed)) {
      throw "pythonw.exe or $wrapper is not there: make the virtual environment first, or give -Python and -Cron"
    }
  }
  $xml = [System.IO.File]::ReadAllText($file.FullName, [System.Text.Encoding]::Unicode)
  $xml = $xml.Replace($writtenPython, [System.Security.SecurityElement]::Escape($Python))
  $xml = $xml.Replace($writtenCron, [System.Security.SecurityElement]::Escape($Cron.TrimEnd('\')))
  if ($PSCmdlet.ShouldProcess($name, 'import')) {
    Register-ScheduledTask -TaskName $name -TaskPath $folder -Xml $xml -User $User -Force | Out-Null
    "imported $folder$name"
  }
}
