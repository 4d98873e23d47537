% rebase("base.tpl", title="Bottle", url=url)
% if name:
<p>Welcome back, {{name}}!</p>
<form method="post" action="{{url('forget')}}"><button>Forget me</button></form>
% else:
<p>We have not met.</p>
<form method="post" action="{{url('name')}}">
  <input name="name" aria-label="Name">
  <button>Remember me</button>
</form>
% end
<ul>
% for file in files:
  <li><a href="{{url('download', name=file)}}">{{file}}</a></li>
% end
</ul>
<form method="post" action="{{url('upload')}}" enctype="multipart/form-data">
  <input type="file" name="file" aria-label="File">
  <button>Upload</button>
</form>
