<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>{{title}}</title>
  <link rel="stylesheet" href="{{url('static', name='style.css')}}">
</head>
<body>
  <h1>{{title}}</h1>
  {{!base}}
</body>
</html>
