-- One thing that is wrong with this installation, as every check answers it.
do $$
begin
  if to_regtype('ops.finding') is null then
    create type ops.finding as (
      finding   text,   -- its stable code: the name of the check
      severity  text,   -- error: something does not work or cannot be trusted; warning: it soon will not
      facts     jsonb,  -- an object: what a program needs to know of it
      what      text,   -- what is wrong, in a sentence
      todo      text    -- what to do about it
    );
  end if;
end
$$;

comment on type ops.finding is 'One thing that is wrong with this installation.';
